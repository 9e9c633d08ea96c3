/** A signal, who aborts it, and how many listen to it. */
export interface CountedSignal {
  readonly controller: AbortController;
  readonly signal: AbortSignal;
  listeners(): number;
}

/** Makes a signal that counts its listeners. */
export function countedSignal(): CountedSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const heard = new Set<unknown>();
  const add = signal.addEventListener.bind(signal) as Listen;
  const remove = signal.removeEventListener.bind(signal) as Listen;
  const listen: Listen = (type, listener, options) => {
    heard.add(listener);
    add(type, listener, options);
  };
  const leave: Listen = (type, listener, options) => {
    heard.delete(listener);
    remove(type, listener, options);
  };
  Object.assign(signal, {
    addEventListener: listen,
    removeEventListener: leave,
  });
  return { controller, signal, listeners: () => heard.size };
}

type Listen = (
  type: string,
  listener: EventListenerOrEventListenerObject,
  options?: AddEventListenerOptions,
) => void;
