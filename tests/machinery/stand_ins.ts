/** Cloudflare and GitHub on the loopback interface, as the machinery of an app meets them: no account, no network. */
import { afterAll } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cloudflare, type Share, Worker, majority } from "./cloudflare.ts";
import {
  type Config,
  type Environment,
  Refusal,
  UsageError,
  environmentNamed,
  workerName,
} from "./config.ts";
import { GitHub } from "./github.ts";
import { release } from "./release.ts";
import { type Target } from "./target.ts";

export const config: Config = {
  name: "demo",
  repository: "acme/demo",
  resources: {
    api: { type: "worker", script: "./src/api.ts" },
    cache: { type: "kv" },
  },
  // Few requests, and time enough on a machine that does much else.
  profiles: {
    staging: { account: "a1", thresholds: { samples: 5, deadlineMs: 1500 } },
    prod: { account: "a2", thresholds: { samples: 5, deadlineMs: 1500 } },
  },
};

type Build = Target["build"];

/** Forty hex digits that are easy to tell apart. */
export const sha = (letter: string) => letter.repeat(40);

export const servers: { stop: (force?: boolean) => unknown }[] = [];
afterAll(() => servers.forEach((server) => server.stop(true)));

export interface FakeVersion {
  id: string;
  commit: string;
  healthy: boolean;
  /** Good when it is asked for by itself, bad once users get it. */
  failsLive?: boolean;
  secrets: readonly string[];
  /** What /health answers instead, with status 200. */
  says?: string;
}

type Options = Partial<Omit<FakeVersion, "id" | "commit">>;

/** What happens to the calls of a method, from the n-th on, for so many times. */
export interface Fault {
  method: "GET" | "POST";
  /** The end of the path. */
  path: string;
  after?: number;
  times?: number;
  /** "lost": it is done, and the answer never comes. */
  kind: "500" | "429" | "html" | "truncated" | "hang" | "lost";
}

/** A Cloudflare account with one Worker, and the Worker itself under /app. */
export class FakeCloudflare {
  versions: FakeVersion[] = [];
  deployments: { versions: Share[]; message: string; force: boolean }[] = [];
  bindings: { type: string; name: string; text?: string }[] | undefined;
  namespaces: string[] = [];
  faults: Fault[] = [];
  /** How many of the latest deployments are listed. */
  listed = 10;
  challenge = false;
  /** Whether the header that asks for a version does nothing. */
  deaf = false;
  /** Which requests of users fail: every n-th. */
  failEvery = 0;
  /** Whether nothing but /health answers. */
  onlyHealth = false;
  private visits = 0;
  private readonly server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => this.answer(request),
  });

  constructor() {
    servers.push(this.server);
  }

  get url() {
    return `http://127.0.0.1:${this.server.port}`;
  }

  client() {
    return new Cloudflare("a1", "token", this.url, 1, 200);
  }

  upload(commit: string, options: Options = {}) {
    const number = String(this.versions.length).padStart(12, "0");
    const version: FakeVersion = {
      id: `00000000-0000-4000-8000-${number}`,
      commit,
      healthy: true,
      secrets: [],
      ...options,
    };
    this.versions.unshift(version);
    return version.id;
  }

  /** What a plain deploy does: the new version gets every request at once. */
  publish(commit: string, options: Options = {}) {
    const version_id = this.upload(commit, options);
    this.deployments.unshift({
      versions: [{ version_id, percentage: 100 }],
      message: "",
      force: false,
    });
    return version_id;
  }

  /** The commits that users met, newest first. */
  get met() {
    return this.deployments.map(
      (deployment) => this.find(majority(deployment)).commit,
    );
  }

  /** The newest version of a commit. */
  idOf(commit: string): string {
    return this.versions.find((v) => v.commit === commit)?.id ?? "none";
  }

  private find(id: string): FakeVersion {
    const version = this.versions.find((v) => v.id === id);
    if (version === undefined) throw new Error(`no version ${id}`);
    return version;
  }

  private async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/app/")) return this.visit(request, pathname);
    const fault = this.faultOf(request.method, pathname);
    if (fault === undefined) return this.obey(request);
    if (fault === "lost") await this.obey(request);
    return broken(fault);
  }

  private faultOf(method: string, path: string): Fault["kind"] | undefined {
    for (const fault of this.faults) {
      if (fault.method !== method || !path.endsWith(fault.path)) continue;
      if ((fault.after ?? 0) > 0) fault.after = (fault.after ?? 0) - 1;
      else if ((fault.times ?? Infinity) > 0) {
        fault.times = (fault.times ?? Infinity) - 1;
        return fault.kind;
      }
    }
    return undefined;
  }

  private async obey(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const path = pathname.replace(/^\/accounts\/a1/, "");
    const script = /^\/workers\/scripts\/[^/]+(.*)$/.exec(path)?.[1];
    if (script === "/deployments" && request.method === "POST") {
      return this.accept(request);
    }
    if (script === "/deployments") {
      if (this.versions.length === 0) return failure(404, 10007);
      return success({
        deployments: this.deployments
          .map(({ message, ...deployment }, i) => ({
            ...deployment,
            id: `d${i}`,
            created_on: `2026-01-${String(this.deployments.length - i).padStart(2, "0")}T08:00:00Z`,
            author_email: "owner@example.com",
            annotations: { "workers/message": message },
          }))
          .slice(0, this.listed),
      });
    }
    if (script === "/settings") {
      return this.bindings
        ? success({ bindings: this.bindings })
        : failure(404, 10007);
    }
    if (script === "/versions") {
      return success({ items: this.versions.map(({ id }) => ({ id })) });
    }
    const id = /^\/versions\/(.+)$/.exec(script ?? "")?.[1];
    if (id !== undefined) {
      const { commit: text, secrets } = this.find(id);
      const bindings = [
        { type: "plain_text", name: "APP_VERSION", text },
        ...secrets.map((name) => ({ type: "secret_text", name })),
      ];
      return success({ id, resources: { bindings } });
    }
    if (path === "/storage/kv/namespaces") {
      return success(this.namespaces.map((title) => ({ title })));
    }
    return failure(404, 7003);
  }

  private async accept(request: Request): Promise<Response> {
    const force = new URL(request.url).searchParams.get("force") === "true";
    const body = (await request.json()) as {
      versions: Share[];
      annotations: Record<string, string>;
    };
    const current = JSON.stringify(this.versions[0]?.secrets);
    const changed = body.versions.some(
      (v) => JSON.stringify(this.find(v.version_id).secrets) !== current,
    );
    if (changed && !force) return failure(400, 10220);
    this.deployments.unshift({
      versions: body.versions,
      message: body.annotations["workers/message"] ?? "",
      force,
    });
    return success({ id: "new" });
  }

  private visit(request: Request, pathname: string): Response {
    if (this.challenge) {
      return new Response("", {
        status: 403,
        headers: { "cf-mitigated": "challenge" },
      });
    }
    const [current] = this.deployments;
    if (current === undefined) return new Response("", { status: 404 });
    const asked = /^demo-api-\w+="(.+)"$/.exec(
      request.headers.get("cloudflare-workers-version-overrides") ?? "",
    )?.[1];
    const shares = current.versions.map((v) => v.version_id);
    const id =
      asked && shares.includes(asked) && !this.deaf ? asked : majority(current);
    const { commit, healthy, failsLive, says } = this.find(id);
    const good = healthy && !(failsLive && !asked);
    this.visits++;
    if (this.failEvery > 0 && this.visits % this.failEvery === 0) {
      return new Response("oops", { status: 500 });
    }
    if (pathname !== "/app/health") {
      return this.onlyHealth
        ? new Response("not found", { status: 404 })
        : new Response("Hello");
    }
    if (good && says !== undefined) return new Response(says);
    return Response.json(
      { status: "ok", version: commit, worker: id },
      { status: good ? 200 : 500 },
    );
  }
}

/** An answer that is none. */
function broken(kind: Fault["kind"]): Response | Promise<Response> {
  switch (kind) {
    case "500":
    case "lost":
      return new Response("Internal Server Error", { status: 500 });
    case "429":
      return new Response("{}", {
        status: 429,
        headers: { "retry-after": "2" },
      });
    case "html":
      return new Response("<html>Hello</html>");
    case "truncated":
      return new Response('{"success":true,"result":{"depl');
    case "hang":
      return new Promise(() => {});
  }
}

export const success = (result: unknown) =>
  Response.json({ success: true, result, errors: [] });

export const failure = (status: number, code: number) =>
  Response.json(
    { success: false, errors: [{ code, message: "no" }] },
    { status },
  );

/** GitHub, as a table of answers; whatever is written is recorded. */
export class FakeGitHub {
  readonly written: { method: string; path: string; body: unknown }[] = [];
  private readonly server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const path = pathname.replace("/repos/acme/demo", "");
      if (request.method !== "GET") {
        const text = await request.text();
        this.written.push({
          method: request.method,
          path,
          body: text && JSON.parse(text),
        });
        const refused = this.answers[`${request.method} ${path}`];
        return typeof refused === "number"
          ? Response.json({ message: "Refused" }, { status: refused })
          : Response.json({ id: 1 });
      }
      const answer = this.answers[path + search] ?? this.answers[path];
      return answer === undefined
        ? Response.json({ message: "Not Found" }, { status: 404 })
        : Response.json(answer);
    },
  });

  constructor(readonly answers: Record<string, unknown>) {
    servers.push(this.server);
  }

  get url() {
    return `http://127.0.0.1:${this.server.port}`;
  }

  client() {
    return new GitHub("acme/demo", "token", this.url, 1);
  }
}

export function targetOn(
  cloudflare: FakeCloudflare,
  name: string,
  build: Build = async () => {},
): Target {
  const environment: Environment = environmentNamed(config, name);
  return {
    config,
    environment,
    env: {},
    worker: new Worker(cloudflare.client(), workerName(config, environment)),
    url: `${cloudflare.url}/app`,
    github: undefined,
    pauses: { checkMs: 5, watchMs: 5 },
    reportFolder: mkdtempSync(join(tmpdir(), "release-report-")),
    tell: (...paragraphs) => void told.push(...paragraphs),
    build,
  };
}

/** What the commands told, oldest first. */
export const told: string[] = [];

export const never = new AbortController().signal;

/** The message of the error that a promise ends with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal || error instanceof UsageError)
      return error.message;
    throw error;
  }
  return "no refusal";
}

/** Releases a commit to a target, by the build that it came with. */
export const releaseTo = (
  target: Target,
  commit: string,
  stop: AbortSignal = never,
): Promise<void> => release(target, commit, stop);

/** Gives the check of a target so much time. */
export function limit(target: Target, deadlineMs: number): Target {
  const { environment } = target;
  const thresholds = { ...environment.profile.thresholds, deadlineMs };
  const profile = { ...environment.profile, thresholds };
  return { ...target, environment: { ...environment, profile } };
}
