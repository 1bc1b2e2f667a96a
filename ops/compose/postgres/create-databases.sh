#!/bin/sh
# Run by the image when the data directory is new.
set -eu

psql --set=ON_ERROR_STOP=1 --username=postgres \
  --set=medic_password="$(cat /run/secrets/medic-db-password)" \
  --set=temporal_password="$(cat /run/secrets/temporal-db-password)" <<'SQL'
CREATE ROLE medic LOGIN PASSWORD :'medic_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE medic OWNER medic;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
SQL
