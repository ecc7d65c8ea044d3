# shellcheck shell=bash
#
# What an answer must be. Part of lib.sh, which sources it.
#
# shellcheck disable=SC2154 # lib.sh sets code

expect_code()
{
	[[ $code == "$1" ]] && return
	fail "status is $code, not $1"
	[[ ! -s out ]] || detail "$(head -c 300 out)"
	[[ ! -s err ]] || detail "$(head -c 300 err)"
}

# expect_error STATUS CODE [REGEX of the message]
expect_error()
{
	expect_code "$1"
	jq -e --arg code "$2" --arg regex "${3:-.}" '
	    (keys == ["code", "message", "request_id"]) and .code == $code and
	    (.message | test($regex; "i"))' out >/dev/null 2>&1 ||
	    fail "not the error $2 with /${3:-.}/: $(head -c 300 out)"
	! grep -qaF "$T_ROOT" out || fail "the message shows a path of the host"
}

# The value of a field of the answer's head, of which there is one.
field()
{
	tr -d '\r' <headers | sed -n "s/^$1: //Ip"
}

expect_field()
{
	field "$1" | grep -qE -e "^($2)$" ||
	    fail "$1 is '$(field "$1")', not $2"
}

# expect_table [OPTION]... <<TABLE: see client.py.
expect_table()
{
	local wrong

	wrong=$("$PYTHON" "$HTTP_DIR/client.py" table "$HTTP_TCP" "$@" 2>&1)
	[[ -z $wrong ]] || fail "$wrong"
}

# raw [SECONDS] <BYTES: the answer, head and all, becomes the file out.
raw()
{
	"$PYTHON" "$HTTP_DIR/client.py" send "$HTTP_TCP" "$@" >out 2>err
}
