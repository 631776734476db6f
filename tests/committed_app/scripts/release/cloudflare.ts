/** The few calls of Cloudflare's API that releases need, each repeated where Cloudflare may have dropped it. */
import {
  Api,
  ApiError,
  LONGEST_WAIT_SECONDS,
  retryAfter,
  unlessMissing,
} from "./http.ts";
import { sameMembers } from "./tell.ts";

export interface Share {
  version_id: string;
  /** Of the requests, 0 to 100. */
  percentage: number;
}

export interface Deployment {
  versions: Share[];
  created_on: string;
  author_email?: string;
  annotations?: Record<string, string>;
}

interface Binding {
  type: string;
  name: string;
  text?: string;
}

/** An uploaded version of the Worker, and what it is bound to. */
interface Version {
  id: string;
  metadata?: { created_on?: string };
  resources: { bindings?: Binding[] };
}

/** One release: a Cloudflare version and the commit it was built from. */
export interface Release {
  versionId: string;
  commit: string;
}

interface Answer<T> {
  success: boolean;
  result: T;
  errors?: { code: number; message: string }[];
}

/** A secret of the Worker changed after the version was uploaded; Cloudflare asks for `force`. */
const SECRET_CHANGED = 10220;

export const isSecretChange = (error: unknown): boolean =>
  error instanceof ApiError && error.codes.includes(SECRET_CHANGED);

/** How many deployments are asked for; Cloudflare may list fewer. */
const ASKED = 50;

/** An account. */
export class Cloudflare extends Api {
  constructor(
    private readonly account: string,
    token: string,
    url = "https://api.cloudflare.com/client/v4",
    secondMs = 1000,
    timeoutMs = 15_000,
  ) {
    super(
      "Cloudflare",
      `${url}/accounts/${account}`,
      { authorization: `Bearer ${token}` },
      { attempts: 4, secondMs, timeoutMs },
    );
  }

  /** The account's part of workers.dev. */
  async subdomain(): Promise<string> {
    const { subdomain } = await this.get<{ subdomain: string }>(
      "/workers/subdomain",
      (result) => typeof result.subdomain === "string",
    );
    return subdomain;
  }

  /** @param shaped whether a result is what was asked for */
  get<T>(path: string, shaped: (result: T) => boolean): Promise<T> {
    return this.patiently(() => this.once<T>("GET", path, undefined, shaped));
  }

  /** Like `get`, with undefined for what does not exist. */
  optional<T>(path: string, shaped: (result: T) => boolean) {
    return this.get<T>(path, shaped).catch(unlessMissing);
  }

  /** @param shaped whether a result is what was asked for; what is not counts as no answer */
  async once<T>(
    method: "GET" | "POST",
    path: string,
    body?: unknown,
    shaped: (result: T) => boolean = () => true,
  ): Promise<T> {
    const { response, json } = await this.send(method, path, body);
    const answer = json as Answer<T> | undefined;
    if (!response.ok || answer?.success === false) {
      throw this.refusal(response, answer?.errors ?? []);
    }
    const whole = answer?.success === true && answer.result != null;
    return whole && shaped(answer.result)
      ? answer.result
      : this.unheard(
          `${method} ${path}: the answer is cut off, or not Cloudflare's`,
        );
  }

  private refusal(
    { status, headers }: Response,
    errors: readonly { code: number; message: string }[],
  ): ApiError {
    const after = retryAfter(headers);
    let known = "";
    if ([401, 403].includes(status)) {
      known = ` (CLOUDFLARE_API_TOKEN is wrong, or may not do this in the account ${this.account})`;
    } else if (after !== undefined && after > LONGEST_WAIT_SECONDS) {
      known = ` (try again in ${Math.ceil(after / 60)} minutes)`;
    }
    const said = errors.map((e) => `[${e.code}] ${e.message}`).join("; ");
    const codes = errors.map(({ code }) => code);
    return new ApiError(
      `Cloudflare: ${said || `HTTP ${status}`}${known}`,
      status,
      after,
      codes,
    );
  }
}

/** A Worker in its account, which may not exist yet. */
export class Worker {
  private readonly versions = new Map<string, Promise<Version | undefined>>();
  private readonly path: string;

  constructor(
    private readonly cloudflare: Cloudflare,
    readonly name: string,
  ) {
    this.path = `/workers/scripts/${name}`;
  }

  /** All deployments that Cloudflare still tells, newest first; empty when the Worker does not exist. */
  async deployments(): Promise<Deployment[]> {
    const list = (query: string) =>
      this.cloudflare.optional<{ deployments: Deployment[] }>(
        `${this.path}/deployments${query}`,
        ({ deployments }) => Array.isArray(deployments),
      );
    const answer = await list(`?per_page=${ASKED}`).catch((error: unknown) => {
      // Nothing documents that it may be asked for more.
      if (error instanceof ApiError && error.status === 400) return list("");
      throw error;
    });
    return answer?.deployments ?? [];
  }

  /** The bindings of an uploaded version; none where it is gone. */
  private async bindingsOf(id: string): Promise<Binding[]> {
    let version = this.versions.get(id);
    if (version === undefined) {
      version = this.cloudflare.optional<Version>(
        `${this.path}/versions/${id}`,
        ({ resources }) => typeof resources === "object",
      );
      this.versions.set(id, version);
    }
    return (await version)?.resources.bindings ?? [];
  }

  /** A version, and its commit, which is "unknown" where none was given to it or where it is gone. */
  async release(versionId: string): Promise<Release> {
    const bindings = await this.bindingsOf(versionId);
    return {
      versionId,
      commit: bindingText(bindings, "APP_VERSION") ?? "unknown",
    };
  }

  /** The release that most users meet, or undefined before the first one. */
  async live(): Promise<Release | undefined> {
    const [newest] = await this.deployments();
    return newest && this.release(majority(newest));
  }

  /** The names of a version's secrets. */
  async secrets(versionId: string): Promise<string[]> {
    const bindings = await this.bindingsOf(versionId);
    return bindings
      .filter(({ type }) => type === "secret_text")
      .map(({ name }) => name);
  }

  /** The versions that can be deployed, newest first. */
  async deployable(): Promise<Omit<Version, "resources">[]> {
    const { items } = await this.cloudflare.get<{ items: Version[] }>(
      `${this.path}/versions?deployable=true`,
      (result) => Array.isArray(result.items),
    );
    return items;
  }

  /**
   * The newest deployable version that was built from a commit, given in full or by its beginning; one that has changes
   * besides only where there is no other.
   */
  async findCommit(commit: string): Promise<Release | undefined> {
    let changed: Release | undefined;
    for (const { id } of await this.deployable()) {
      const release = await this.release(id);
      if (!release.commit.startsWith(commit)) continue;
      if (release.commit === commit || !release.commit.includes("-"))
        return release;
      changed ??= release;
    }
    return changed;
  }

  /**
   * Decides, in one atomic step, which versions get which share of the requests. Where the answer is lost, what is live
   * says whether it was done.
   */
  async deploy(versions: readonly Share[], message: string, force = false) {
    const said = message.slice(0, 100);
    const annotations = { "workers/message": said };
    const body = { strategy: "percentage", versions, annotations };
    const path = `${this.path}/deployments${force ? "?force=true" : ""}`;
    await this.cloudflare.patiently(async () => {
      try {
        await this.cloudflare.once("POST", path, body);
      } catch (error) {
        if (!(error instanceof ApiError && error.passing)) throw error;
        const [newest] = await this.deployments();
        const done =
          newest &&
          messageOf(newest) === said &&
          sameShares(newest.versions, versions);
        if (!done) throw error;
      }
    });
  }

  /** Gives all requests to one release. */
  switchTo({ versionId }: Release, message: string, force = false) {
    return this.deploy(
      [{ version_id: versionId, percentage: 100 }],
      message,
      force,
    );
  }

  /** The bindings of a Worker as it is now, or undefined when there is not one of that name. */
  async bindings(): Promise<Binding[] | undefined> {
    const settings = await this.cloudflare.optional<{ bindings?: Binding[] }>(
      `${this.path}/settings`,
      (result) => typeof result === "object",
    );
    return settings && (settings.bindings ?? []);
  }
}

export const bindingText = (bindings: readonly Binding[], name: string) =>
  bindings.find((binding) => binding.name === name)?.text;

export const messageOf = ({ annotations }: Deployment): string =>
  annotations?.["workers/message"] ?? "";

/** Whoever started it, by the message that these scripts leave; else the owner of the token. */
export const authorOf = (deployment: Deployment): string =>
  / by ([^ ]+)$/.exec(messageOf(deployment))?.[1] ??
  deployment.author_email ??
  "";

/** The version that most users meet. */
export function majority({ versions }: Pick<Deployment, "versions">): string {
  const [most] = versions.toSorted((a, b) => b.percentage - a.percentage);
  if (most === undefined) throw new Error("a deployment has no version");
  return most.version_id;
}

/** Whether users meet more than one version, as in somebody's gradual deployment. */
export const isSplit = ({ versions }: Deployment): boolean =>
  versions.filter((share) => share.percentage > 0).length > 1;

const shareKey = (share: Share) => `${share.version_id} ${share.percentage}`;

export const sameShares = (one: readonly Share[], other: readonly Share[]) =>
  sameMembers(one.map(shareKey), other.map(shareKey));
