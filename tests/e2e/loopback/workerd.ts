/** Runs uploaded versions of a Worker: each one is a real workerd of its own. */
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Miniflare, type WorkerOptions } from "miniflare";

/** What an upload's metadata says of one binding. */
export interface Binding {
  type: string;
  name: string;
  text?: string;
  namespace_id?: string;
  id?: string;
  bucket_name?: string;
  class_name?: string;
}

export interface Module {
  path: string;
  contents: string;
}

/** Everything that is needed to run a version. */
export interface Program {
  worker: string;
  versionId: string;
  modules: Module[];
  bindings: Binding[];
  compatibilityDate: string;
  compatibilityFlags: string[];
}

/** A version that runs. */
export class Instance {
  private constructor(
    private readonly miniflare: Miniflare,
    private readonly url: URL,
  ) {}

  /**
   * Starts a version.
   *
   * @param folder where data lives that outlasts a version
   * @throws when the script does not start, as Cloudflare finds out at upload
   */
  static async start(program: Program, folder: string): Promise<Instance> {
    const miniflare = new Miniflare({
      ...options(program),
      kvPersist: join(folder, "kv"),
      d1Persist: join(folder, "d1"),
      r2Persist: join(folder, "r2"),
      durableObjectsPersist: join(folder, "objects"),
      cf: false,
      handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
        stdout.resume();
        stderr.resume();
      },
    });
    try {
      return new Instance(miniflare, await miniflare.ready);
    } catch (error) {
      await miniflare.dispose().catch(() => undefined);
      throw error;
    }
  }

  /** Lets the version answer a request to a public address. */
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const { host } = url;
    const headers = new Headers(request.headers);
    headers.set("host", host);
    url.protocol = this.url.protocol;
    url.host = this.url.host;
    const body = ["GET", "HEAD"].includes(request.method)
      ? null
      : await request.arrayBuffer();
    const answer = await fetch(url, {
      method: request.method,
      headers,
      body,
      redirect: "manual",
      proxy: "",
    });
    // Decoded on the way: what says otherwise must not travel on.
    const out = new Headers(answer.headers);
    out.delete("content-encoding");
    out.delete("content-length");
    out.delete("transfer-encoding");
    return new Response(await answer.arrayBuffer(), {
      status: answer.status,
      headers: out,
    });
  }

  stop(): Promise<void> {
    return this.miniflare.dispose();
  }
}

function options(program: Program): WorkerOptions {
  const bindings: Record<string, string | { id: string }> = {};
  const kvNamespaces: Record<string, string> = {};
  const d1Databases: Record<string, string> = {};
  const r2Buckets: Record<string, string> = {};
  const durableObjects: Record<
    string,
    { className: string; useSQLite: boolean }
  > = {};
  for (const binding of program.bindings) {
    const { name } = binding;
    switch (binding.type) {
      case "plain_text":
      case "secret_text":
        bindings[name] = binding.text ?? "";
        break;
      case "version_metadata":
        bindings[name] = { id: program.versionId };
        break;
      case "kv_namespace":
        kvNamespaces[name] = binding.namespace_id ?? "";
        break;
      case "d1":
        d1Databases[name] = binding.id ?? "";
        break;
      case "r2_bucket":
        r2Buckets[name] = binding.bucket_name ?? "";
        break;
      case "durable_object_namespace":
        durableObjects[name] = {
          className: binding.class_name ?? "",
          useSQLite: true,
        };
        break;
      default:
        throw new Error(`no such binding here: ${binding.type}`);
    }
  }
  return {
    name: program.worker,
    modules: program.modules.map((module) => ({
      type: "ESModule",
      ...module,
    })),
    modulesRoot: "/",
    compatibilityDate: program.compatibilityDate,
    compatibilityFlags: program.compatibilityFlags,
    bindings,
    kvNamespaces,
    d1Databases,
    r2Buckets,
    durableObjects,
  };
}
