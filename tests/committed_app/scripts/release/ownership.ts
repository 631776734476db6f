/** Whether what already exists at Cloudflare is this app's: a deploy takes nothing over by accident. */
import { UNPUBLISHED, appId } from "./checkout.ts";
import { type Cloudflare, Worker, bindingText } from "./cloudflare.ts";
import {
  type Config,
  type Environment,
  UsageError,
  type Variables,
  misuse,
  resourceName,
  workerId,
  workerName,
} from "./config.ts";

/**
 * Finds out whether the Worker exists and is this app's. Alchemy would take over any Worker of the right name, somebody
 * else's too; this app's own one it must take over, since a first deploy may have stopped half-way.
 *
 * @returns whether there is one to take over
 * @throws UsageError when it belongs to another app
 */
export async function ownsExistingWorker(
  config: Config,
  environment: Environment,
  cloudflare: Cloudflare,
  env: Variables,
): Promise<boolean> {
  const worker = workerName(config, environment);
  const bindings = await new Worker(cloudflare, worker).bindings();
  if (bindings === undefined) return false;
  const id = workerId(config);
  const owner = bindingText(bindings, "APP_ID");
  const ours =
    owner === appId(config, env) || owner?.startsWith(`${UNPUBLISHED}:`);
  if (ours || environment.profile.names?.[id] !== undefined) return true;
  throw misuse`the Worker ${worker} exists and ${owner ? `belongs to "${owner}"` : "was not made by this app"}. To take it over, add \`names: { ${id}: "${worker}" }\` to the profile ${environment.name} in alchemy.config.ts; if this app's repository was renamed, keep the old name there as \`repository\`; otherwise change the app's \`name\``;
}

/**
 * The same question for a KV namespace, database or bucket, which cannot carry an owner: one that is not in Alchemy's
 * state is used only when `names` says so, and one that `names` speaks of must be there.
 *
 * @returns whether there is one to take over
 */
export async function mayAdoptData(
  config: Config,
  id: string,
  environment: Environment,
  cloudflare: Cloudflare,
): Promise<boolean> {
  const { type = "worker" } = config.resources[id] ?? {};
  if (type === "worker") return false;
  const name = resourceName(config, id, environment);
  const named = environment.profile.names?.[id] !== undefined;
  const exists = await FINDERS[type](cloudflare, name);
  if (exists === named) return exists;
  throw new UsageError(
    exists
      ? `${type} "${name}" exists and is not known to be this app's. To use it, add \`names: { ${id}: "${name}" }\` to the profile ${environment.name} in alchemy.config.ts`
      : `${type} "${name}", which \`names\` of ${environment.name} speaks of, does not exist in this account`,
  );
}

type Finder = (cloudflare: Cloudflare, name: string) => Promise<boolean>;

const FINDERS: Record<"kv" | "d1" | "r2", Finder> = {
  kv: async (cloudflare, name) => {
    for (let page = 1; ; page++) {
      const namespaces = await cloudflare.get<{ title: string }[]>(
        `/storage/kv/namespaces?per_page=100&page=${page}`,
        Array.isArray,
      );
      if (namespaces.some(({ title }) => title === name)) return true;
      if (namespaces.length < 100) return false;
    }
  },
  d1: async (cloudflare, name) => {
    const databases = await cloudflare.get<{ name: string }[]>(
      `/d1/database?name=${encodeURIComponent(name)}&per_page=100`,
      Array.isArray,
    );
    return databases.some((database) => database.name === name);
  },
  r2: async (cloudflare, name) => {
    const path = `/r2/buckets/${encodeURIComponent(name)}`;
    return (await cloudflare.optional(path, () => true)) !== undefined;
  },
};
