/** What Linux tells of a process under /proc. */

/** The process and all below it, some of which start others: a shell, `taskset`, a server and its workers. */
export function family(pid: number): number[] {
  const children = read(pid, `task/${pid}/children`) ?? "";
  return [
    pid,
    ...children.split(" ").filter(Boolean).flatMap((child) =>
      family(Number(child))
    ),
  ];
}

/** Processor time in ms that a process has used so far; the system counts in ticks of 10. 0 if it has ended. */
export function cpuMs(pid: number): number {
  // After the name, which may have spaces.
  const fields = read(pid, "stat")?.replace(/^.*\) /, "").split(" ") ?? [];
  return fields.length < 13
    ? 0
    : 10 * (Number(fields[11]) + Number(fields[12]));
}

/** {@linkcode cpuMs} of a process and all below it. */
export function familyCpuMs(pid: number): number {
  return family(pid).reduce((sum, member) => sum + cpuMs(member), 0);
}

/** A size of /proc/PID/status in KiB, such as `VmRSS` (resident), `VmHWM` (its peak) or `RssAnon`; 0 if it has ended. */
export function memoryKib(
  pid: number,
  row: "VmRSS" | "VmHWM" | "RssAnon",
): number {
  const kib = new RegExp(`${row}:\\s+(\\d+)`).exec(read(pid, "status") ?? "");
  return Number(kib?.[1] ?? 0);
}

/** How long a core of the processor has been idle, and how long the machine has run, in ms. */
export function coreMs(
  core: number,
): { readonly idle: number; readonly all: number } {
  const row = new RegExp(`^cpu${core} (.*)$`, "m").exec(
    Deno.readTextFileSync("/proc/stat"),
  );
  // user nice system idle iowait irq softirq steal
  const ticks = (row?.[1] ?? "").split(" ").slice(0, 8).map(Number);
  const all = ticks.reduce((sum, count) => sum + count, 0);
  return { idle: 10 * (ticks[3] ?? 0), all: 10 * all };
}

/** Open files of a process. */
export function openFiles(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

function read(pid: number, file: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch {
    return undefined;
  }
}
