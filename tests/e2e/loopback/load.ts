/** Constant load of ordinary users on one address. */

export interface Tally {
  requests: number;
  /** What went wrong, each kind with its number. */
  failures: Record<string, number>;
  /** The releases that answered, in the order in which they were first met. */
  versions: string[];
}

const USERS = 3;
const PAUSE_MS = 4;

export class Load {
  private readonly tally: Tally = { requests: 0, failures: {}, versions: [] };
  private readonly users: Promise<void>[];
  private stopped = false;

  constructor(url: string, proxy: string, authority: string) {
    const visit = async (): Promise<void> => {
      const answer = await fetch(url, { proxy, tls: { ca: authority } });
      const body = await answer.text();
      if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
      const { version } = JSON.parse(body) as { version: string };
      if (!this.tally.versions.includes(version)) {
        this.tally.versions.push(version);
      }
    };
    const user = async (): Promise<void> => {
      while (!this.stopped) {
        this.tally.requests++;
        await visit().catch((error: unknown) => {
          const kind = error instanceof Error ? error.message : String(error);
          const { failures } = this.tally;
          failures[kind] = (failures[kind] ?? 0) + 1;
        });
        await Bun.sleep(PAUSE_MS);
      }
    };
    this.users = Array.from({ length: USERS }, user);
  }

  async stop(): Promise<Tally> {
    this.stopped = true;
    await Promise.all(this.users);
    return this.tally;
  }
}
