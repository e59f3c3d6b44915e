#!/bin/sh
# Settings from files: /run/secrets/gapnlp_database_url becomes GAPNLP_DATABASE_URL, unless that is set already.
# Then the command that was given takes this process's place, so that signals reach it.
set -eu

for file in "${SECRETS_DIR:-/run/secrets}"/gapnlp_*; do
    [ -f "$file" ] || continue
    name=$(basename "$file" | tr '[:lower:]' '[:upper:]')
    if [ ! -r "$file" ]; then
        echo "$file cannot be read by user $(id -u); see docs/operations.md, Secrets" >&2
        exit 2
    fi
    printenv "$name" >/dev/null || export "$name=$(cat "$file")"
done

exec "$@"
