/** The way out of the programs under test: a proxy that leads every host that is played here to this machine. */
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import type { Certificates } from "./certificates.ts";

export type Handler = (request: Request) => Promise<Response>;

export class Internet {
  private readonly server;
  private readonly gate;
  /** Hosts that nobody here plays, and that were asked for all the same. */
  readonly blocked: string[] = [];

  /** @param handlerOf who answers for a host */
  constructor(
    certificates: Certificates,
    private readonly handlerOf: (host: string) => Handler | undefined,
  ) {
    this.server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 120,
      tls: { cert: certificates.certificate, key: certificates.key },
      fetch: (request) => this.answer(request),
      // What breaks off is meant to.
      error: () => new Response(null, { status: 500 }),
    });
    this.gate = createServer((socket) => this.greet(socket));
  }

  /** Opens the proxy, and says where it is. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) =>
      this.gate.listen(0, "127.0.0.1", resolve),
    );
    return `http://127.0.0.1:${(this.gate.address() as AddressInfo).port}`;
  }

  private async answer(request: Request): Promise<Response> {
    const handler = this.handlerOf(new URL(request.url).hostname);
    try {
      return (await handler?.(request)) ?? new Response(null, { status: 421 });
    } catch (error) {
      if (!request.signal.aborted) console.error(request.url, error);
      return new Response(String(error), { status: 500 });
    }
  }

  private greet(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    socket.once("data", (head) => {
      const line = head.toString().split("\r\n")[0] ?? "";
      const [, host] = /^CONNECT ([^: ]+):443 /.exec(line) ?? [];
      if (host === undefined || this.handlerOf(host) === undefined) {
        this.blocked.push(line);
        socket.end("HTTP/1.1 502 Blocked by the test\r\n\r\n");
        return;
      }
      const port = this.server.port ?? 0;
      const inner = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        inner.pipe(socket);
        socket.pipe(inner);
      });
      inner.on("error", () => socket.destroy());
      socket.on("close", () => inner.destroy());
    });
  }
}
