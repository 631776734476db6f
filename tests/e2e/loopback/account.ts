/** What an account at Cloudflare holds, and how its API tells it. */
import type { Trouble } from "./faults.ts";
import type { Binding, Instance, Module } from "./workerd.ts";

export interface Account {
  id: string;
  token: string;
  /** The account's part of workers.dev. */
  subdomain: string;
  zone: string;
}

export interface Share {
  version_id: string;
  percentage: number;
}

export interface Deployment {
  id: string;
  created_on: string;
  author_email: string;
  strategy: "percentage";
  versions: Share[];
  annotations: Record<string, string>;
}

export interface Metadata {
  main_module: string;
  bindings?: Binding[];
  tags?: string[];
  compatibility_date?: string;
  compatibility_flags?: string[];
}

export interface Version {
  id: string;
  number: number;
  bindings: Binding[];
  tags: string[];
  modules: Module[];
  instance: Instance;
  /** How many requests it answered: of users, and of those that asked for this version by header. */
  ordinary: number;
  asked: number;
}

export interface Worker {
  account: string;
  name: string;
  onSubdomain: boolean;
  /** Newest first. */
  versions: Version[];
  deployments: Deployment[];
}

export interface Domain {
  id: string;
  hostname: string;
  service: string;
  zone_id: string;
  zone_name: string;
  environment: string;
}

/** A KV namespace, database or bucket. */
export interface Data {
  account: string;
  type: "kv" | "d1" | "r2";
  id: string;
  name: string;
}

/** A refusal, with Cloudflare's own number for it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** The version that a user's request goes to. */
export function drawn(worker: Worker, deployment: Deployment): Version {
  let left = Math.random() * 100;
  for (const { version_id, percentage } of deployment.versions) {
    left -= percentage;
    if (left < 0) return versionOf(worker, version_id);
  }
  throw new Error("the shares are less than 100 %");
}

export function versionOf(worker: Worker, id: string): Version {
  const found = worker.versions.find((version) => version.id === id);
  if (found === undefined) throw new Refused(404, 10010, "no such version");
  return found;
}

/** Whether a header that asks for a version does nothing. */
export const deafTo = (trouble: Trouble | undefined): boolean =>
  trouble?.kind === "old" ||
  (trouble?.kind === "late" && Date.now() < (trouble.ms ?? 0));

export function inFront(front: "challenge" | "access"): Response {
  return front === "challenge"
    ? new Response("Just a moment...", {
        status: 403,
        headers: { "cf-mitigated": "challenge" },
      })
    : new Response(null, {
        status: 302,
        headers: {
          location: "https://acme.cloudflareaccess.com/cdn-cgi/access",
        },
      });
}

export const shown = ({ id, name, type }: Data) =>
  type === "kv"
    ? { id, title: name }
    : type === "d1"
      ? { uuid: id, name, version: "production" }
      : { name, creation_date: "2026-01-01T00:00:00Z", location: "weur" };

export const text = (version: Version, name: string) =>
  version.bindings.find((binding) => binding.name === name)?.text;

export const details = ({ id, number, bindings }: Version) => ({
  id,
  number,
  resources: { bindings: bindings.map(withoutSecret) },
});

export const withoutSecret = (binding: Binding): Binding =>
  binding.type === "secret_text"
    ? { type: binding.type, name: binding.name }
    : binding;

export const secrets = (version: Version | undefined) =>
  JSON.stringify(version?.bindings.filter((b) => b.type === "secret_text"));
