#!/bin/sh
# Write the secrets of the compose file, each once, into docker/secrets/ (or the folder named). What is there stays.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"

# Readable for everybody inside the folder that nobody else may enter: a container mounts the file, not the folder.
write() {
    [ -e "$folder/$1" ] || { printf '%s' "$2" > "$folder/$1" && chmod 444 "$folder/$1" && echo "wrote $folder/$1"; }
}
random() {
    od -An -tx1 -N32 /dev/urandom | tr -d ' \n'
}

write secret_key "$(random)$(random)"
write connect_token "$(random)"
write postgres_password "$(random)"
write database_url "postgres://housevalue:$(cat "$folder/postgres_password")@postgres:5432/housevalue"
write grafana_password "$(random)"
# For a broker that wants a login (docs/deployment.md): properties of librdkafka, and Connect's password.
write kafka_client_properties '{}'
write kafka_sasl_password ''
