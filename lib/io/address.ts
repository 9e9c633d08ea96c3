/** Where a socket is: a literal IPv4 or IPv6 address (never `::ffff:` mapped) and a port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}
