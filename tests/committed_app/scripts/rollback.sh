#!/usr/bin/env bash
# Goes back to an earlier release, at once and without a build:
#   scripts/rollback.sh [environment] [version] [--list] [--dry-run] [--force] [--no-verify]
# Alone it means prod and the release before the live one. Needs bun and one Cloudflare token: see docs/PROMOTION.md.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v bun >/dev/null; then
  echo "rollback.sh needs bun: https://bun.sh/docs/installation (nothing was changed)" >&2
  exit 2
fi
exec bun scripts/release/cli.ts rollback "$@"
