/**
 * Cloudflare on this machine: the calls that Alchemy and the release scripts make, in memory, and the requests of
 * users, shared out among real versions as the deployment says.
 */
import { Database } from "bun:sqlite";
import {
  type Account,
  type Data,
  type Deployment,
  type Domain,
  type Metadata,
  Refused,
  type Share,
  type Version,
  type Worker,
  deafTo,
  details,
  drawn,
  inFront,
  secrets,
  shown,
  text,
  versionOf,
  withoutSecret,
} from "./account.ts";
import { type Fault, type Trouble, meets, spoiled } from "./faults.ts";
import { type Binding, Instance, type Module } from "./workerd.ts";

/** Cloudflare tells no more deployments than these. */
const WINDOW = 10;
/** How Cloudflare refuses a second resource of a name: status and code. */
const TAKEN: Record<Data["type"], [number, number]> = {
  kv: [400, 10014],
  d1: [400, 7502],
  r2: [409, 10004],
};
const PATIENCE_MS = 60_000;
const OVERRIDE = "cloudflare-workers-version-overrides";

export class Cloudflare {
  private readonly workers: Worker[] = [];
  private readonly domains: Domain[] = [];
  private readonly data: Data[] = [];
  /** By the id of the database. */
  private readonly databases = new Map<string, Database>();
  readonly faults: Fault[] = [];
  readonly troubles: Trouble[] = [];
  private visits = 0;
  private readonly fronts = new Map<string, "challenge" | "access">();
  private readonly watchers = new Set<() => void>();
  private holding = false;
  private held = 0;
  private count = 0;
  /** Every call of the API, as "METHOD path". */
  readonly calls: string[] = [];
  /** Calls that nobody here can answer: each one fails the test. */
  readonly unknown: string[] = [];

  constructor(
    private readonly accounts: readonly Account[],
    private readonly folder: string,
  ) {}

  // --- the API ---------------------------------------------------------------------------------------------------

  async api(request: Request): Promise<Response> {
    try {
      const { pathname } = new URL(request.url);
      const fault = this.faults.find((f) => meets(f, request.method, pathname));
      if (fault?.done === false) {
        return await spoiled(fault, () => Promise.resolve(new Response()));
      }
      const result = await this.answer(request);
      if (fault?.never === "hang") return await this.hold(request.signal);
      if (fault !== undefined) {
        return await spoiled(fault, async () =>
          Response.json({ success: true, result }),
        );
      }
      return result instanceof Response
        ? result
        : Response.json({ success: true, result, errors: [], messages: [] });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { status, code, message } = error;
      return Response.json(
        { success: false, result: null, errors: [{ code, message }] },
        { status },
      );
    }
  }

  private async answer(request: Request): Promise<unknown> {
    const url = new URL(request.url);
    const path = url.pathname.replace(/^\/client\/v4/, "");
    this.calls.push(`${request.method} ${path}`);
    const token = request.headers.get("authorization")?.replace(/^Bearer /, "");
    const mine = this.accounts.filter((account) => account.token === token);
    if (mine.length === 0) {
      throw new Refused(403, 10000, "Authentication error");
    }
    if (path === "/zones") return this.zones(mine, url.searchParams);
    const [, id, rest] = /^\/accounts\/([^/]+)(\/.*)$/.exec(path) ?? [];
    if (id === undefined || rest === undefined) return this.missing(request);
    const account = mine.find((own) => own.id === id);
    if (account === undefined) {
      throw new Refused(403, 10000, "Authentication error");
    }
    return this.inAccount(account, rest, request);
  }

  private zones(mine: readonly Account[], query: URLSearchParams): unknown {
    return mine
      .filter((account) => account.zone === query.get("name"))
      .map((account) => ({
        id: `zone-${account.zone}`,
        name: account.zone,
        status: "active",
        account: { id: account.id },
      }));
  }

  private async inAccount(
    account: Account,
    path: string,
    request: Request,
  ): Promise<unknown> {
    const [, area, ...parts] = path.split("/");
    const { method } = request;
    const at = `${area}/${parts[0]}`;
    if (at === "workers/subdomain") return { subdomain: account.subdomain };
    if (at === "workers/domains") {
      return this.inDomains(account, method, parts[1], request);
    }
    if (at === "workers/scripts" && parts[1] !== undefined) {
      return this.inScript(account, parts[1], parts.slice(2), request);
    }
    if (at === "storage/kv") {
      return this.inData(account, "kv", method, parts.slice(2), request);
    }
    if (at === "d1/database") {
      return this.inData(account, "d1", method, parts.slice(1), request);
    }
    if (at === "r2/buckets") {
      return this.inData(account, "r2", method, parts.slice(1), request);
    }
    return this.missing(request);
  }

  private async inDomains(
    account: Account,
    method: string,
    id: string | undefined,
    request: Request,
  ): Promise<unknown> {
    if (method === "GET") {
      return this.domains.filter((d) => this.worker(account, d.service));
    }
    if (method === "DELETE") {
      this.domains.splice(
        this.domains.findIndex((domain) => domain.id === id),
        1,
      );
      return null;
    }
    const wanted = (await request.json()) as Domain;
    if (!`.${wanted.hostname}`.endsWith(`.${account.zone}`)) {
      throw new Refused(400, 100112, "the zone is not in this account");
    }
    this.existing(account, wanted.service);
    const known = this.domains.find((d) => d.hostname === wanted.hostname);
    const domain = known ?? { ...wanted, id: this.uuid() };
    Object.assign(domain, wanted, { zone_name: account.zone });
    if (known === undefined) this.domains.push(domain);
    return domain;
  }

  private async inData(
    account: Account,
    type: Data["type"],
    method: string,
    [id, ...more]: string[],
    request: Request,
  ): Promise<unknown> {
    const mine = this.data.filter(
      (data) => data.account === account.id && data.type === type,
    );
    if (more[0] === "query") {
      const { sql } = (await request.json()) as { sql: string };
      return [{ success: true, results: this.query(id ?? "", sql) }];
    }
    if (more.length > 0) return {}; // settings of a bucket or database
    if (method === "POST") {
      const body = (await request.json()) as { title?: string; name?: string };
      const name = body.title ?? body.name ?? "";
      if (mine.some((data) => data.name === name)) {
        throw new Refused(...TAKEN[type], `"${name}" already exists`);
      }
      return shown(this.keep(account.id, type, name));
    }
    if (id === undefined) {
      const query = new URL(request.url).searchParams;
      const wanted = query.get("name");
      const page = Number(query.get("page") ?? 1);
      return page > 1
        ? []
        : mine
            .filter(({ name }) => wanted === null || name === wanted)
            .map(shown);
    }
    const found = mine.find((data) => data.id === id || data.name === id);
    if (found === undefined) throw new Refused(404, 10006, "not found");
    if (method === "DELETE") {
      this.data.splice(this.data.indexOf(found), 1);
      return null;
    }
    return shown(found);
  }

  /** What a database, given by its id or name, answers to SQL: SQLite itself says it. */
  query(id: string, sql: string): unknown[] {
    const found = this.data.find((data) => data.id === id || data.name === id);
    if (found === undefined) throw new Refused(404, 7404, "no such database");
    const database = this.databases.get(found.id) ?? new Database(":memory:");
    this.databases.set(found.id, database);
    try {
      if (/^\s*(SELECT|PRAGMA)/i.test(sql)) return database.query(sql).all();
      database.run(sql);
      return [];
    } catch (error) {
      throw new Refused(400, 7500, String(error));
    }
  }

  private async inScript(
    account: Account,
    name: string,
    [part, id]: string[],
    request: Request,
  ): Promise<unknown> {
    const { method } = request;
    const what = `${method} ${part ?? ""}`;
    if (what === "PUT ") {
      const version = await this.upload(account, name, request);
      const worker = this.existing(account, name);
      this.deploy(worker, [{ version_id: version.id, percentage: 100 }], {});
      return { id: name, deployment_id: version.id };
    }
    const worker = this.existing(account, name);
    switch (what) {
      case "GET ":
        return new Response("the script");
      case "DELETE ":
        this.workers.splice(this.workers.indexOf(worker), 1);
        await Promise.all(worker.versions.map((v) => v.instance.stop()));
        return null;
      case "GET settings": {
        const [newest] = worker.versions;
        return {
          bindings: newest?.bindings.map(withoutSecret) ?? [],
          tags: newest?.tags ?? [],
        };
      }
      case "POST subdomain":
        worker.onSubdomain = (
          (await request.json()) as { enabled: boolean }
        ).enabled;
        return { enabled: worker.onSubdomain, previews_enabled: false };
      case "GET subdomain":
        return { enabled: worker.onSubdomain, previews_enabled: false };
      case "GET queue-consumers":
        return [];
      case "POST versions": {
        const version = await this.upload(account, name, request);
        return {
          id: version.id,
          number: version.number,
          metadata: { has_preview: true },
        };
      }
      case "GET versions":
        return id === undefined
          ? { items: worker.versions.map(({ id, number }) => ({ id, number })) }
          : details(versionOf(worker, id));
      case "GET deployments":
        return { deployments: worker.deployments.slice(0, WINDOW) };
      case "POST deployments": {
        const force = new URL(request.url).searchParams.get("force") === "true";
        const body = (await request.json()) as Deployment;
        this.checkDeployable(worker, body.versions, force);
        return this.deploy(worker, body.versions, body.annotations);
      }
      default:
        return this.missing(request);
    }
  }

  private missing(request: Request): never {
    const call = `${request.method} ${request.url}`;
    this.unknown.push(call);
    throw new Refused(404, 7003, `nobody answers ${call}`);
  }

  private async upload(
    account: Account,
    name: string,
    request: Request,
  ): Promise<Version> {
    const form = await request.formData();
    const parts = [...form.entries()] as [string, string | File][];
    const texts = await Promise.all(
      parts.map(async ([path, part]): Promise<Module> => ({
        path,
        contents: typeof part === "string" ? part : await part.text(),
      })),
    );
    const metadata = JSON.parse(
      texts.find(({ path }) => path === "metadata")?.contents ?? "{}",
    ) as Metadata;
    const modules = texts.filter(
      ({ path }) => path !== "metadata" && !path.endsWith(".map"),
    );
    modules.sort((a) => (a.path === metadata.main_module ? -1 : 1));
    return this.add(account.id, name, metadata, modules);
  }

  private async add(
    account: string,
    name: string,
    metadata: Metadata,
    modules: Module[],
  ): Promise<Version> {
    const id = this.uuid();
    const bindings = metadata.bindings ?? [];
    for (const { namespace_id } of bindings) {
      if (
        namespace_id !== undefined &&
        !this.data.some((data) => data.id === namespace_id)
      ) {
        throw new Refused(400, 10041, `KV namespace ${namespace_id} not found`);
      }
    }
    const instance = await Instance.start(
      {
        worker: name,
        versionId: id,
        modules,
        bindings,
        compatibilityDate: metadata.compatibility_date ?? "2026-01-01",
        compatibilityFlags: metadata.compatibility_flags ?? [],
      },
      this.folder,
    ).catch((error: unknown) => {
      throw new Refused(400, 10021, `the script does not start: ${error}`);
    });
    let worker = this.workers.find(
      (w) => w.account === account && w.name === name,
    );
    if (worker === undefined) {
      worker = {
        account,
        name,
        onSubdomain: false,
        versions: [],
        deployments: [],
      };
      this.workers.push(worker);
    }
    const version: Version = {
      id,
      number: worker.versions.length + 1,
      bindings,
      tags: metadata.tags ?? [],
      modules,
      instance,
      ordinary: 0,
      asked: 0,
    };
    worker.versions.unshift(version);
    return version;
  }

  private checkDeployable(
    worker: Worker,
    shares: readonly Share[],
    force: boolean,
  ): void {
    const total = shares.reduce((sum, share) => sum + share.percentage, 0);
    if (total !== 100) throw new Refused(400, 10220, "not 100 %");
    for (const { version_id } of shares) {
      const version = versionOf(worker, version_id);
      const [newest] = worker.versions;
      if (!force && secrets(version) !== secrets(newest)) {
        throw new Refused(400, 10220, "a secret changed since that version");
      }
    }
  }

  private deploy(
    worker: Worker,
    versions: Share[],
    annotations: Record<string, string>,
  ): Deployment {
    const deployment: Deployment = {
      id: this.uuid(),
      created_on: new Date().toISOString(),
      author_email: "owner@example.com",
      strategy: "percentage",
      versions,
      annotations,
    };
    worker.deployments.unshift(deployment);
    for (const watcher of this.watchers) watcher();
    return deployment;
  }

  private worker(account: Account, name: string): Worker | undefined {
    return this.workers.find(
      (worker) => worker.account === account.id && worker.name === name,
    );
  }

  private existing(account: Account, name: string): Worker {
    const found = this.worker(account, name);
    if (found !== undefined) return found;
    throw new Refused(404, 10007, "This Worker does not exist.");
  }

  private keep(account: string, type: Data["type"], name: string): Data {
    const data = { account, type, id: this.uuid(), name };
    this.data.push(data);
    return data;
  }

  private uuid(): string {
    this.count++;
    return `00000000-0000-4000-8000-${String(this.count).padStart(12, "0")}`;
  }

  // --- what users meet -------------------------------------------------------------------------------------------

  async visit(request: Request): Promise<Response> {
    const { hostname } = new URL(request.url);
    const front = this.fronts.get(hostname);
    if (front !== undefined) return inFront(front);
    const worker = this.serving(hostname);
    const [deployment] = worker?.deployments ?? [];
    if (worker === undefined || deployment === undefined) {
      return new Response("nobody lives here", { status: 404 });
    }
    const trouble = this.troubles.find(({ host }) => host === hostname);
    const asked = deafTo(trouble)
      ? undefined
      : this.askedFor(worker, deployment, request);
    const version = asked ?? drawn(worker, deployment);
    const right = () => version.instance.fetch(request);
    if (asked === undefined) version.ordinary++;
    else {
      version.asked++;
      if (this.holding) await this.hold(request.signal);
    }
    if (trouble?.slow) await Bun.sleep(trouble.slow);
    return trouble && this.isHit(trouble, request)
      ? spoiled(trouble, right)
      : right();
  }

  private isHit({ kind, n = 1 }: Trouble, request: Request): boolean {
    this.visits++;
    switch (kind) {
      case "every":
        return true;
      case "nth":
        return this.visits % n === 0;
      case "other-paths":
        return new URL(request.url).pathname !== "/health";
      default:
        return false;
    }
  }

  private serving(hostname: string): Worker | undefined {
    const domain = this.domains.find((d) => d.hostname === hostname);
    for (const account of this.accounts) {
      const suffix = `.${account.subdomain}.workers.dev`;
      const name = hostname.endsWith(suffix)
        ? hostname.slice(0, -suffix.length)
        : undefined;
      const worker = this.worker(account, name ?? domain?.service ?? "");
      if (
        worker !== undefined &&
        (domain !== undefined || worker.onSubdomain)
      ) {
        return worker;
      }
    }
    return undefined;
  }

  /** A version of the live deployment can be asked for, one with 0 % too. */
  private askedFor(
    worker: Worker,
    deployment: Deployment,
    request: Request,
  ): Version | undefined {
    const [, name, id] =
      /^([^=]+)="([^"]+)"$/.exec(request.headers.get(OVERRIDE) ?? "") ?? [];
    const deployed = deployment.versions.some((v) => v.version_id === id);
    return name === worker.name && deployed
      ? worker.versions.find((version) => version.id === id)
      : undefined;
  }

  // --- what tests do and see -------------------------------------------------------------------------------------

  /** Everything there is, as a test compares it. */
  state(): unknown {
    return {
      workers: Object.fromEntries(
        this.workers.map((worker) => [
          worker.name,
          {
            account: worker.account,
            onSubdomain: worker.onSubdomain,
            deployments: worker.deployments.map((deployment) => ({
              message: deployment.annotations?.["workers/message"] ?? "",
              versions: deployment.versions.map(
                ({ version_id, percentage }) => ({
                  id: version_id,
                  percentage,
                  commit: text(versionOf(worker, version_id), "APP_VERSION"),
                }),
              ),
            })),
            versions: worker.versions.map((version) => ({
              id: version.id,
              commit: text(version, "APP_VERSION"),
              bindings: version.bindings.map(withoutSecret),
              ordinary: version.ordinary,
              asked: version.asked,
            })),
          },
        ]),
      ),
      domains: Object.fromEntries(
        this.domains.map((domain) => [domain.hostname, domain.service]),
      ),
      data: this.data.map(({ account, type, name }) => ({
        account,
        type,
        name,
      })),
    };
  }

  /** Somebody uploads a Worker by other means. */
  async seedWorker(
    account: string,
    name: string,
    contents: string,
    bindings: Binding[],
  ): Promise<void> {
    const metadata = { main_module: "index.js", bindings };
    const modules = [{ path: "index.js", contents }];
    const version = await this.add(account, name, metadata, modules);
    const worker = this.workers.find((w) => w.versions.includes(version));
    if (worker === undefined) throw new Error("it was just added");
    worker.onSubdomain = true;
    this.deploy(worker, [{ version_id: version.id, percentage: 100 }], {});
  }

  /** Somebody makes a resource by other means. */
  seedData(account: string, type: Data["type"], name: string): string {
    return this.keep(account, type, name).id;
  }

  /** Somebody switches versions in the dashboard. */
  switch(name: string, versions: Share[]): void {
    const worker = this.workers.find((w) => w.name === name);
    if (worker === undefined) throw new Error(`no Worker ${name}`);
    this.deploy(worker, versions, { "workers/message": "by the dashboard" });
  }

  /** Something stands in front of a host, or nothing any more. */
  setFront(host: string, front: "challenge" | "access" | null): void {
    if (front === null) this.fronts.delete(host);
    else this.fronts.set(host, front);
  }

  /** Leaves requests that ask for a version without an answer. */
  holdAsked(on: boolean): void {
    this.holding = on;
  }

  /** Waits until a request is held. */
  async heldOnce(): Promise<void> {
    await this.until(() => this.held > 0);
    this.held = 0;
  }

  private async hold(signal: AbortSignal): Promise<never> {
    this.held++;
    for (const watcher of this.watchers) watcher();
    return new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(new Error("gave up"))),
    );
  }

  private until(reached: () => boolean): Promise<void> {
    if (reached()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error("it never came")), PATIENCE_MS);
      const watcher = () => {
        if (!reached()) return;
        this.watchers.delete(watcher);
        resolve();
      };
      this.watchers.add(watcher);
    });
  }
}
