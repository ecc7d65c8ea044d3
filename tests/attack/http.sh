# shellcheck shell=bash
#
# For rows whose attack comes over HTTP: a server of the row's own, the verbs
# of tests/http and those of lib.sh. `mayfly` and the server have one store.

WAY=serve
# The verbs of tests/http change the directory.
ATTACK_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/http/lib.sh
. "$ATTACK_DIR/../http/lib.sh"
# shellcheck source=tests/attack/lib.sh
. "$ATTACK_DIR/lib.sh"

# Sends each line of stdin, a JSON object with method, path and body, to the
# server; the file answers has code and body of each, in order. With a number,
# as many at once.
send_all()
{
	"$PYTHON" "$ATTACK_DIR/post.py" "$HTTP_TCP" "${1:-8}" >answers ||
	    fail "the requests could not be sent"
}

# A jq expression that must be true of each answer; the first one that is not
# is shown.
expect_each()
{
	jq -c "select(($1) | not)" answers >others 2>&1
	[[ ! -s others ]] || {
		fail "$(wc -l <others) answers are not as in $1, such as"
		detail "$(head -n 1 others | head -c 400)"
	}
	check "there is no answer" test -s answers
}
