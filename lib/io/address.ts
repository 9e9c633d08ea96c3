/** Where a socket is: a literal IPv4 or IPv6 address (never `::ffff:` mapped) and a port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Writes an address: `10.0.0.1:80`, `[::1]:80`, `*:80`. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host || "*"}:${port}`;
}
