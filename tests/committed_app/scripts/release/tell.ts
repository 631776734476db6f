/** What people are told: at the terminal, on the page of a workflow run, and, of an error, in one sentence. */
import { appendFileSync } from "node:fs";
import { Refusal, UsageError } from "./config.ts";

/** Tells the terminal, and the page of the workflow run. */
export function summary(...paragraphs: string[]): void {
  const text = `${paragraphs.join("\n\n")}\n\n`;
  process.stdout.write(text);
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file) appendFileSync(file, text);
}

/** Hands a value to the later steps of a workflow. */
export function output(name: string, value: string): void {
  const file = process.env.GITHUB_OUTPUT;
  if (file) appendFileSync(file, `${name}=${value}\n`);
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Enough of a commit that no second one shares it; a working tree that differs from its commit says so. */
export const shortCommit = (commit: string): string =>
  commit.slice(0, 12) + (commit.endsWith("-dirty") ? "-dirty" : "");

export const escapeMarkdown = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>|#@!]/g, "\\$&");

/** Whether two lists have the same members, in whichever order. */
export const sameMembers = (
  one: readonly string[] = [],
  other: readonly string[] = [],
): boolean =>
  one.length === other.length && one.every((member) => other.includes(member));

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * Tells an error without a stack; DEBUG=1 shows the one of a mistake in these scripts.
 *
 * @returns the exit code
 */
export function reportError(error: unknown): number {
  const wrongOption =
    (error as { code?: string } | null)?.code?.startsWith("ERR_PARSE_ARGS") ===
    true;
  const usage = error instanceof UsageError || wrongOption;
  const expected = usage || error instanceof Refusal;
  if (!expected && process.env.DEBUG) console.error(error);
  // Of node's advice on unknown options only the first sentence is of use.
  const [said = ""] = wrongOption
    ? messageOf(error).split(". ")
    : [messageOf(error)];
  const text = wrongOption
    ? `${said}; see --help`
    : expected
      ? said
      : `Something unforeseen: ${said.split("\n")[0]} (DEBUG=1 shows where).`;
  const line = text.replaceAll("%", "%25").replaceAll("\n", "%0A");
  console.error(process.env.GITHUB_ACTIONS ? `::error::${line}` : text);
  if (process.env.GITHUB_STEP_SUMMARY)
    summary(`> [!CAUTION]\n> ${text.replaceAll("\n", "\n> ")}`);
  return usage ? 2 : 1;
}
