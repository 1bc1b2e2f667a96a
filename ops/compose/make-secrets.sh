#!/bin/sh
# Makes the secrets of docker-compose.yml, once: what is there already stays.
set -eu

folder=$(dirname "$0")/secrets
mkdir -p "$folder"
# Containers read the files as users of their own; on this machine only the owner gets into the folder.
chmod 0700 "$folder"
umask 022

keep() {
  if [ -e "$folder/$1" ]; then return; fi
  cat > "$folder/$1.new"
  mv "$folder/$1.new" "$folder/$1"
}

for name in postgres medic-db temporal-db; do
  openssl rand -hex 24 | keep "$name-password"
done
openssl genpkey -algorithm ed25519 | keep signing-key
openssl rand -base64 32 | keep secrets-key
printf 'postgres://medic:%s@postgres:5432/medic\n' "$(cat "$folder/medic-db-password")" | keep database-url
