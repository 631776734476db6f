/** A repository's settings on GitHub: its environments with their rules, secrets and variables, by plan and by token. */
import sealedbox from "tweetnacl-sealedbox-js";
import nacl from "tweetnacl";

interface Reviewer {
  type: "User" | "Team";
  id: number;
}

interface Policy {
  id: number;
  name: string;
  type: "branch" | "tag";
}

interface Environment {
  reviewers: Reviewer[];
  prevent_self_review: boolean;
  wait_timer: number;
  deployment_branch_policy: {
    protected_branches: boolean;
    custom_branch_policies: boolean;
  } | null;
  policies: Policy[];
  /** As they were sealed for the key of this repository, opened again. */
  secrets: Record<string, string>;
}

interface Wish {
  reviewers?: Reviewer[] | null;
  prevent_self_review?: boolean;
  wait_timer?: number;
  deployment_branch_policy?: Environment["deployment_branch_policy"];
}

/** What a test may set, and asks for again. */
export interface State {
  environments: Record<string, Environment>;
  variables: Record<string, string>;
}

/** "team" has no reviewers in private repositories, "free" no environments. */
export type Plan = "public" | "team" | "free";

const PEOPLE: Record<string, number> = { owner: 7, robin: 8, alex: 9 };
const TEAMS: Record<string, number> = { ops: 70, web: 71 };
/** Somebody whom GitHub knows, and who has nothing to do with the repository. */
const STRANGER = 9;

/** What the tokens of the tests may do. Any other administers the repository. */
const TOKENS: Record<string, "expired" | "run" | "reader" | "scopeless"> = {
  "token-that-expired": "expired",
  "token-of-the-run": "run",
  "token-of-a-reader": "reader",
  "token-without-scope": "scopeless",
};

const answer = (data: unknown, status = 200, headers = {}): Response =>
  Response.json(data, { status, headers });
const done = () => new Response(null, { status: 204 });
const notFound = () => answer({ message: "Not Found" }, 404);
const refused = (message: string) => answer({ message }, 422);

export class Settings {
  state: State = { environments: {}, variables: {} };
  plan: Plan = "public";
  /** What changed something, in order. */
  readonly changes: string[] = [];
  /** Moments at which somebody could have deployed to prod who may not. */
  readonly opened: string[] = [];
  private readonly keys = nacl.box.keyPair();
  private count = 500;

  constructor(private readonly name: string) {}

  /** What the token may not do at all, or undefined. */
  admit(token: string, method: string, path: string): Response | undefined {
    const kind = TOKENS[token];
    if (kind === "expired") return answer({ message: "Bad credentials" }, 401);
    const private_ = /\/(secrets|variables)/.test(path) || method !== "GET";
    const setting = /\/(environments|secrets|variables)/.test(path);
    if (kind === "run" && setting && private_) {
      const message = "Resource not accessible by integration";
      return answer({ message }, 403, {
        "x-accepted-github-permissions": "environments=write",
      });
    }
    if (kind === "run" && path.startsWith("/orgs/")) {
      const message = "Resource not accessible by integration";
      return answer({ message }, 403, {
        "x-accepted-github-permissions": "members=read",
      });
    }
    if (kind !== "scopeless") return undefined;
    const scopes = (accepted: string) =>
      answer({ message: "Not Found" }, 404, {
        "x-oauth-scopes": "gist",
        "x-accepted-oauth-scopes": accepted,
      });
    if (path.startsWith("/orgs/")) return scopes("admin:org, read:org, repo");
    return setting && private_ ? scopes("repo") : undefined;
  }

  repository(token: string): Response {
    const admin = !["run", "reader"].includes(TOKENS[token] ?? "");
    return answer({
      full_name: this.name,
      private: this.plan !== "public",
      permissions: { admin, push: true, pull: true },
    });
  }

  people(token: string, path: string): Response {
    if (path === "/user") {
      if (TOKENS[token] === "run") {
        return answer(
          { message: "Resource not accessible by integration" },
          403,
        );
      }
      return answer({ login: "owner", id: PEOPLE.owner });
    }
    const [, area, owner, , team] = path.split("/");
    const id =
      area === "users"
        ? PEOPLE[owner ?? ""]
        : owner === "acme"
          ? TEAMS[team ?? ""]
          : undefined;
    return id === undefined ? notFound() : answer({ id });
  }

  environment(
    method: string,
    [name = "", part, id]: readonly (string | undefined)[],
    data: unknown,
  ): Response {
    if (this.plan === "free") return notFound();
    if (part === undefined && method === "PUT") {
      return this.changing(`PUT ${name}`, data, () =>
        this.put(name, (data ?? {}) as Wish),
      );
    }
    const found = this.state.environments[name];
    if (found === undefined) return notFound();
    switch (part) {
      case undefined:
        return answer(this.shown(name, found));
      case "deployment-branch-policies":
        return this.policy(method, name, found, id, data);
      case "secrets":
        return this.secret(method, name, found, id, data);
      default:
        return notFound();
    }
  }

  variable(method: string, part: string | undefined, data: unknown): Response {
    const { variables } = this.state;
    if (part !== undefined && !(part in variables)) return notFound();
    if (method === "GET") {
      return answer({ name: part, value: variables[part ?? ""] });
    }
    if (method === "DELETE") {
      return this.changing(`DELETE variable ${part}`, data, () => {
        delete variables[part ?? ""];
        return done();
      });
    }
    const { name, value } = data as { name: string; value: string };
    if (method === "POST" && name in variables) {
      return answer({ message: "Already exists" }, 409);
    }
    return this.changing(`${method} variable`, data, () => {
      variables[name] = value;
      return method === "POST" ? answer({}, 201) : done();
    });
  }

  private put(name: string, wish: Wish): Response {
    const { reviewers, wait_timer = 0, prevent_self_review = false } = wish;
    if (this.plan === "team" && (reviewers?.length || wait_timer > 0)) {
      return refused(
        "Failed to create the environment protection rule. Please ensure the billing plan supports the required reviewers protection rule.",
      );
    }
    const environment: Environment = {
      policies: [],
      secrets: {},
      ...this.state.environments[name],
      reviewers: (reviewers ?? []).filter(({ id }) => id !== STRANGER),
      prevent_self_review,
      wait_timer,
      deployment_branch_policy: wish.deployment_branch_policy ?? null,
    };
    if (!environment.deployment_branch_policy?.custom_branch_policies) {
      environment.policies = [];
    }
    this.state.environments[name] = environment;
    return answer(this.shown(name, environment));
  }

  private shown(name: string, environment: Environment) {
    const { reviewers, prevent_self_review, wait_timer } = environment;
    const policy = environment.deployment_branch_policy;
    const names = Object.entries({ ...PEOPLE, ...TEAMS });
    const reviewer = ({ type, id }: Reviewer) => {
      const [called] = names.find(([, other]) => other === id) ?? [];
      return {
        type,
        reviewer: { id, [type === "User" ? "login" : "slug"]: called },
      };
    };
    return {
      id: 1,
      name,
      protection_rules: [
        ...(wait_timer > 0 ? [{ id: 1, type: "wait_timer", wait_timer }] : []),
        ...(reviewers.length > 0
          ? [
              {
                id: 2,
                type: "required_reviewers",
                prevent_self_review,
                reviewers: reviewers.map(reviewer),
              },
            ]
          : []),
        ...(policy === null ? [] : [{ id: 3, type: "branch_policy" }]),
      ],
      deployment_branch_policy: policy,
    };
  }

  private policy(
    method: string,
    name: string,
    environment: Environment,
    id: string | undefined,
    data: unknown,
  ): Response {
    const { policies } = environment;
    if (method === "GET") {
      return answer({
        total_count: policies.length,
        branch_policies: policies,
      });
    }
    if (!environment.deployment_branch_policy?.custom_branch_policies) {
      return notFound();
    }
    if (method === "DELETE") {
      const at = policies.findIndex((policy) => policy.id === Number(id));
      if (at < 0) return notFound();
      const { name: branch } = policies[at] ?? {};
      return this.changing(`DELETE ${name} policy ${branch}`, data, () => {
        policies.splice(at, 1);
        return done();
      });
    }
    return this.changing(`POST ${name} policy`, data, () => {
      const policy = { type: "branch", ...(data as object), id: ++this.count };
      policies.push(policy as Policy);
      return answer(policy);
    });
  }

  private secret(
    method: string,
    name: string,
    { secrets }: Environment,
    id: string | undefined,
    data: unknown,
  ): Response {
    if (id === "public-key") {
      const key = Buffer.from(this.keys.publicKey).toString("base64");
      return answer({ key_id: "1", key });
    }
    const names = Object.keys(secrets).map((secret) => ({ name: secret }));
    if (id === undefined) {
      return answer({ total_count: names.length, secrets: names });
    }
    if (method === "GET") {
      return id in secrets ? answer({ name: id }) : notFound();
    }
    return this.changing(`PUT ${name} secret ${id}`, undefined, () => {
      const { encrypted_value, key_id } = data as Record<string, string>;
      const box = Buffer.from(encrypted_value ?? "", "base64");
      const { publicKey, secretKey } = this.keys;
      const value = sealedbox.open(box, publicKey, secretKey);
      if (key_id !== "1" || value === null) return refused("Bad box");
      const known = id in secrets;
      secrets[id] = Buffer.from(value).toString();
      return known ? done() : answer({}, 201);
    });
  }

  /** Makes a change, and judges what it leaves. */
  private changing(
    what: string,
    data: unknown,
    change: () => Response,
  ): Response {
    const before = this.open();
    const response = change();
    if (!response.ok) return response;
    this.changes.push(data === undefined ? what : `${what} ${inOrder(data)}`);
    const now = this.open();
    const news = now.filter((name) => !before.includes(name));
    const trusting = / secret /.test(what)
      ? now.filter((name) => what.startsWith(`PUT ${name} `))
      : /variable.*PROMOTION/.test(this.changes.at(-1) ?? "")
        ? now
        : [];
    for (const name of [...news, ...trusting]) {
      this.opened.push(`${name} is open: ${this.changes.join("; ")}`);
    }
    return response;
  }

  /** The protected environments to which more can deploy than main after an approval. */
  private open(): string[] {
    return Object.entries(this.state.environments)
      .filter(([name, environment]) => {
        if (name.startsWith("staging")) return false;
        const { reviewers, policies } = environment;
        const policy = environment.deployment_branch_policy;
        return (
          (reviewers.length === 0 && this.plan === "public") ||
          !policy?.custom_branch_policies ||
          policies.some((p) => p.name !== "main" || p.type !== "branch")
        );
      })
      .map(([name]) => name);
  }
}

/** JSON with its keys in order: who wrote it does not matter. */
function inOrder(data: unknown): string {
  return JSON.stringify(data, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort())
      : value,
  );
}
