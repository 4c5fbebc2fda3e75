#!/bin/sh
# Start House value with Docker Compose, ask it a question and wait for the answer: the whole path on the real Redpanda.
#
#   docker/smoke.sh [--cluster] [--keep] [--dry-run]    start, ask, tell, end (--keep leaves it running)
#   docker/smoke.sh --ask URL                           only ask, at an address that runs already
#
# Ends with 0 when the question was answered, by WebAssembly in the broker and a worker behind it. It is a project of its
# own (housevalue-smoke, port 8765 or HTTP_PORT), so it neither touches nor removes a deployment beside it.
set -eu
cd "$(dirname "$0")/.."

QUESTION='{"med_inc": 8.3252, "house_age": 41, "ave_rooms": 6.984, "ave_bedrms": 1.0238, "population": 322, "ave_occup": 2.5555, "latitude": 37.88, "longitude": -122.23}'
BAD_QUESTION='{"med_inc": 99}'
ANSWER_SECONDS=60
project='docker compose --project-name housevalue-smoke'
compose="$project -f docker/compose.yaml"
export HTTP_PORT="${HTTP_PORT:-8765}"
url="http://localhost:$HTTP_PORT"
dry_run= keep= only_ask=

say() { printf '%s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# Runs a command, or only shows it.
run() {
    say "+ $*"
    [ -n "$dry_run" ] || "$@"
}

while [ $# -gt 0 ]; do
    case $1 in
        --cluster) compose="$project --env-file docker/cluster.env -f docker/compose.yaml" ;;
        --keep) keep=yes ;;
        --dry-run) dry_run=yes ;;
        --ask) [ $# -gt 1 ] || fail "--ask needs an address"; only_ask=yes url=${2%/}; shift ;;
        *) fail "unknown option $1; see the head of $0" ;;
    esac
    shift
done

check_programs() {
    command -v curl >/dev/null || fail "curl is needed"
    [ -z "$only_ask" ] || return 0
    docker compose version --short >/dev/null 2>&1 || fail "Docker Compose 2.24 or newer is needed"
    docker info >/dev/null 2>&1 || fail "no Docker engine answers"
}

start() {
    run sh docker/make_secrets.sh
    run $compose build
    # Waits for every health check, and for the one-shots that make tables, models, topics and transforms.
    run $compose up --detach --wait --wait-timeout 600
    run $compose exec -T web python manage.py check --deploy --fail-level ERROR
    run $compose run --rm --no-deps transforms python manage.py deploy_transforms --status
}

# The value of a text member in flat JSON: member NAME < JSON
member() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }

ask() {
    run curl --silent --show-error --fail --max-time 10 --output /dev/null "$url/readyz"
    say "+ POST $url/predict_api"
    if [ -n "$dry_run" ]; then
        say "+ GET status_url, until the question is answered"
        say "+ GET stream_url, the answer by SSE"
        return 0
    fi
    receipt=$(printf '%s' "$QUESTION" | curl --silent --show-error --fail --max-time 10 \
        --header 'Content-Type: application/json' --data @- "$url/predict_api") || fail "the question was not accepted"
    status_url=$(at_this_host "$(printf '%s' "$receipt" | member status_url)")
    stream_url=$(at_this_host "$(printf '%s' "$receipt" | member stream_url)")
    await_answer "$status_url"
    read_stream "$stream_url"
    refuse_the_bad_one
}

# What the receipt names, reached by the way that we came: a path stays a path of $url.
at_this_host() {
    case $1 in
        '') fail "the receipt names no address: $receipt" ;;
        http*) printf '%s' "$1" ;;
        *) printf '%s%s' "$url" "$1" ;;
    esac
}

await_answer() {
    end=$(($(date +%s) + ANSWER_SECONDS))
    while :; do
        prediction=$(curl --silent --show-error --fail --max-time 10 "$1") || fail "$1 does not answer"
        status=$(printf '%s' "$prediction" | member status)
        case $status in
            answered) say "answered: $prediction"; return 0 ;;
            rejected | failed) fail "the question was $status: $prediction" ;;
        esac
        [ "$(date +%s)" -lt "$end" ] || fail "not answered after $ANSWER_SECONDS s: $prediction"
        sleep 0.2
    done
}

read_stream() {
    # curl ends the stream by its time limit: that is 28, and no failure.
    events=$(curl --silent --no-buffer --max-time 3 "$1") || [ $? -eq 28 ] || fail "$1 does not stream"
    printf '%s' "$events" | grep -q '^data:' || fail "no event on $1"
    say "streamed: $(printf '%s' "$events" | grep -m 1 '^data:')"
}

refuse_the_bad_one() {
    status=$(printf '%s' "$BAD_QUESTION" | curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' \
        --header 'Content-Type: application/json' --data @- "$url/predict_api")
    [ "$status" = 400 ] || [ "$status" = 422 ] || fail "a bad question got $status"
    say "a bad question is refused: $status"
}

finish() {
    status=$?
    trap - EXIT
    if [ "$status" -ne 0 ] && [ -z "$dry_run" ]; then
        $compose ps --all || true
        $compose logs --tail 30 || true
    fi
    [ -n "$keep" ] || run $compose down --volumes --timeout 30
    exit "$status"
}

[ -n "$dry_run" ] || check_programs
if [ -z "$only_ask" ]; then
    trap finish EXIT
    trap 'exit 130' INT TERM
    start
fi
ask
[ -n "$dry_run" ] && say "dry run: nothing was started or asked" || say "the whole path works"
