#!/bin/sh
# Brings both of Temporal's databases up to date. Run again, it changes nothing.
set -eu

SQL_PASSWORD=$(cat /run/secrets/temporal-db-password)
export SQL_PASSWORD

update() {
  database=$1 folder=/etc/temporal/schema/postgresql/v12/$2/versioned
  set -- temporal-sql-tool --plugin postgres12 --ep postgres -p 5432 -u temporal --db "$database"
  "$@" setup-schema -v 0.0
  "$@" update-schema -d "$folder"
}

update temporal temporal
update temporal_visibility visibility
