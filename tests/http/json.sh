# shellcheck shell=bash
#
# The bodies of requests: what is JSON, what is an object of ours, and how a
# wrong one is named.

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if testcase "what is not JSON is refused, with the byte"; then
	expect_table -j /run <<-'END'
		400 not_json /./ | nothing | @{0*a}
		400 not_json /./ | blanks | @{3* }
		400 not_json /\b0\b/ | a word | hello
		400 not_json /\b[01]\b/ | a comment | // {"command":"true"}
		400 not_json /\b18\b/ | text behind | {"command":"true"}x
		400 not_json /\b18\b/ | a second value | {"command":"true"}{}
		400 not_json /\b18\b/ | a zero byte behind | {"command":"true"}\x00
		400 not_json /\b0\b/ | a mark of byte order | \xef\xbb\xbf{"command":"true"}
		400 not_json /\b17\b/ | an open object | {"command":"true"
		400 not_json /./ | an open string | {"command":"true
		400 not_json /\b18\b/ | a comma too many | {"command":"true",}
		400 not_json /\b1[89]\b/ | a comma too many in a list | {"command":["true",]}
		400 not_json /\b1\b/ | a comma first | {,"command":"true"}
		400 not_json /\b11\b/ | single quotes | {"command":'true'}
		400 not_json /\b1\b/ | a name without quotes | {command:"true"}
		400 not_json /\b11\b/ | no colon | {"command" "true"}
		400 not_json /\b[89]\b/ | a number that begins with 0 | {"time":01}
		400 not_json /./ | a number that begins with + | {"time":+1}
		400 not_json /./ | a number that ends with a point | {"time":1.}
		400 not_json /./ | a number without digits | {"time":-}
		400 not_json /./ | a hexadecimal number | {"time":0x10}
		400 not_json /./ | infinity | {"time":Infinity}
		400 not_json /./ | no number | {"time":NaN}
		400 not_json /./ | True | {"command":True}
		400 not_json /./ | a tab in a string | {"command":"a\tb"}
		400 not_json /./ | a line end in a string | {"command":"a\nb"}
		400 not_json /./ | an unknown escape | {"command":"\\x41"}
		400 not_json /./ | half an escape | {"command":"\\u00e"}
		400 not_json /./ | a surrogate alone | {"command":"\\ud800"}
		400 not_json /./ | a surrogate with something else | {"command":"\\ud800\\u0041"}
		400 not_json /./ | surrogates the wrong way round | {"command":"\\udc00\\ud800"}
		400 not_json /./ | half a character | {"command":"\xc3"}
		400 not_json /./ | a byte that never is | {"command":"\xff"}
		400 not_json /./ | an overlong character | {"command":"\xc0\xaf"}
		400 not_json /./ | a surrogate in UTF-8 | {"command":"\xed\xa0\x80"}
		400 not_json /./ | above U+10FFFF | {"command":"\xf4\x90\x80\x80"}
		400 not_json /./ | UTF-16 | \xff\xfe{\x00}\x00
		400 nul_in_string /./ | U+0000 | {"command":"a\\u0000b"}
		400 nul_in_string /./ | U+0000 in a name | {"command":"true","a\\u0000":1}
		400 nul_in_string /./ | U+0000 in a path | {"command":"true","cwd":"/\\u0000/../x"}
		400,422 not_json,too_deep,invalid_field /./ | 25,000 elements | {"command":[@{25000*"",}""]}
	END
fi

if testcase "a name twice is refused, however it is written"; then
	expect_table -j /run <<-'END'
		400 duplicate_key /command/ | the same | {"command":"true","command":"true"}
		400 duplicate_key /command/ | escaped | {"command":"true","\\u0063ommand":"true"}
		400 duplicate_key /A/ | within | {"command":"true","env":{"A":"1","B":"2","A":"3"}}
		400 duplicate_key /./ | unknown | {"command":"true","x":1,"x":1}
		422 invalid_field /Command/ | in capitals is another name | {"command":"true","Command":"true"}
	END
fi

if testcase "depth has an end"; then
	expect_table -j /run <<-'END'
		422 invalid_field /./ | 16 levels | {"command":@{15*[}@{15*]}}
		400 too_deep /./ | 17 levels | {"command":@{16*[}@{16*]}}
		400 too_deep /./ | 100,000 levels | @{100000*[}@{100000*]}
		400 too_deep /./ | 100,000 levels, open | @{100000*[}
		400 too_deep /./ | 20,000 objects | @{20000*{"a":}
	END
fi

if testcase "the body is an object with a command"; then
	expect_table -j /run <<-'END'
		422 invalid_field /object/ | a list | []
		422 invalid_field /object/ | a list of objects | [{"command":"true"}]
		422 invalid_field /object/ | a string | "true"
		422 invalid_field /object/ | a number | 1
		422 invalid_field /object/ | null | null
		422 invalid_field /command/ | without one | {}
		422 invalid_field /command/ | null | {"command":null}
		422 invalid_field /command/ | a number | {"command":1}
		422 invalid_field /command/ | true | {"command":true}
		422 invalid_field /command/ | an object | {"command":{"a":"b"}}
		422 invalid_field /command/ | an empty list | {"command":[]}
		422 invalid_field /command/ | a number in the list | {"command":["true",1]}
		422 invalid_field /command/ | null in the list | {"command":["true",null]}
		422 invalid_field /command/ | a list in the list | {"command":[["true"]]}
		200 - | blanks around everything |  \r\n\t{ "command" : [ "true" ] } \n
		200 - | every escape | {"command":["true","\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"]}
	END
fi

# Each field with values of every type it has not.
if testcase "a field of a wrong type is named"; then
	declare -A good=([stdin]='string' [env]=object [cwd]='string null'
	    [user]='string null' [image]='string null' [network]=string
	    [files]=array [collect]=array)
	declare -A value=([string]='"%"' [number]=1 [bool]=true [array]='["%"]'
	    [object]='{"%":1}' [null]=null)
	for name in "${!good[@]}"; do
		for type in "${!value[@]}"; do
			[[ $type == null || " ${good[$name]} " == *" $type "* ]] ||
			    echo "422 invalid_field /$name/ | $name: $type |" \
				"{\"command\":\"true\",\"$name\":${value[$type]}}"
		done
	done >table
	for name in time wall mem fsize stack nofile nproc disk session_disk \
	    cpus output; do
		for wrong in '"1000"' true '[1]' '{}' -1 1e3 1E400 \
		    99999999999999999999999; do
			echo "422 invalid_field /$name/ | $name: $wrong |" \
			    "{\"command\":\"true\",\"$name\":$wrong}"
		done
		[[ $name == cpus ]] ||
		    echo "422 invalid_field /$name/ | $name: 1000.5 |" \
			"{\"command\":\"true\",\"$name\":1000.5}"
	done >>table
	check "the table is short" test "$(wc -l <table)" -gt 120
	expect_table -j /run <table
fi

if testcase "a value that cannot be is named with what it may be"; then
	expect_table -j /run <<-'END'
		422 invalid_field /cwd.*absolute|absolute.*cwd/ | a relative directory | {"command":"true","cwd":"tmp"}
		422 invalid_field /cwd/ | no directory | {"command":"true","cwd":""}
		422 invalid_field /cwd/ | a directory that is not there | {"command":"true","cwd":"/no/such"}
		422 invalid_field /cwd/ | a file for a directory | {"command":"true","cwd":"/etc/passwd"}
		422 invalid_field /cwd/ | an endless directory | {"command":"true","cwd":"/@{5000*a}"}
		422 invalid_field /user/ | a user that is neither | {"command":"true","user":"ro ot"}
		422 invalid_field /user/ | nobody | {"command":"true","user":""}
		422 invalid_field /user/ | a user too high | {"command":"true","user":"65536"}
		422 invalid_field /user/ | half a group | {"command":"true","user":"1:"}
		422 invalid_field /user/ | a negative user | {"command":"true","user":"-1"}
		422 invalid_field /network.*none.*off/ | a network | {"command":"true","network":"host"}
		422 invalid_field /image/ | an image that is not there | {"command":"true","image":"none-such"}
		422 invalid_field /image/ | an image that is a path | {"command":"true","image":"../host"}
		422 invalid_field /image/ | an image without a name | {"command":"true","image":""}
		422 invalid_field /env/ | a number in env | {"command":"true","env":{"A":1}}
		422 invalid_field /env/ | a variable without a name | {"command":"true","env":{"":"1"}}
		422 invalid_field /env/ | = in a name | {"command":"true","env":{"A=B":"1"}}
		422 invalid_field /stdin/ | base64 that is none | {"command":"true","stdin":{"base64":"!!!!"}}
		422 invalid_field /stdin/ | base64 with a line end | {"command":"true","stdin":{"base64":"QUJD\\nREVG"}}
		422 invalid_field /stdin/ | base64 with too few digits | {"command":"true","stdin":{"base64":"QUJDR"}}
		422 invalid_field /stdin/ | base64 with bits too many | {"command":"true","stdin":{"base64":"QR=="}}
		422 invalid_field /stdin/ | base64 of another alphabet | {"command":"true","stdin":{"base64":"-_-_"}}
		422 invalid_field /stdin/ | stdin without base64 | {"command":"true","stdin":{}}
		422 invalid_field /stdin/ | stdin with more | {"command":"true","stdin":{"base64":"","text":"a"}}
		422 invalid_field /files\[0\]/ | a file that is a string | {"command":"true","files":["a"]}
		422 invalid_field /files\[0\].*path/ | a file without a path | {"command":"true","files":[{"content":"a"}]}
		422 invalid_field /files\[0\]/ | a file with an empty path | {"command":"true","files":[{"path":"","content":"a"}]}
		422 invalid_field /files\[0\]/ | a path that is a directory | {"command":"true","files":[{"path":"a/","content":"a"}]}
		422 invalid_field /files\[1\].*path/ | the second file | {"command":"true","files":[{"path":"a","content":"a"},{"content":"a"}]}
		422 invalid_field /files\[0\]/ | content twice | {"command":"true","files":[{"path":"a","content":"a","base64":"YQ=="}]}
		422 invalid_field /files\[0\].base64/ | wrong base64 | {"command":"true","files":[{"path":"a","base64":"a"}]}
		422 invalid_field /files\[0\].mode/ | a mode of 9s | {"command":"true","files":[{"path":"a","content":"a","mode":"0999"}]}
		422 invalid_field /files\[0\].mode/ | a mode of setuid | {"command":"true","files":[{"path":"a","content":"a","mode":"4755"}]}
		422 invalid_field /files\[0\].mode/ | a mode as a number | {"command":"true","files":[{"path":"a","content":"a","mode":644}]}
		422 invalid_field /files\[0\].owner/ | an unknown field of a file | {"command":"true","files":[{"path":"a","content":"a","owner":"b"}]}
		422 invalid_field /collect/ | an empty path | {"command":"true","collect":[""]}
		422 invalid_field /collect/ | a number | {"command":"true","collect":[1]}
		422 invalid_field /bind/ | an unknown field | {"command":"true","bind":"/etc"}
		422 invalid_field /./ | a field with no name | {"command":"true","":1}
		422 invalid_field /./ | a name with a line end | {"command":"true","a\\r\\nb":1}
		422 invalid_field /./ | an endless name | {"command":"true","@{100000*a}":1}
		422 invalid_field /__proto__/ | a name of JavaScript's | {"__proto__":{},"command":"true"}
	END
fi

if testcase "a limit out of range is refused with the range"; then
	expect_table -j /run <<-'END'
		422 invalid_field /time.*1.*604800000/ | no time | {"command":"true","time":0}
		422 invalid_field /time.*604800000/ | more than a week | {"command":"true","time":604800001}
		422 invalid_field /wall.*604800000/ | a wall too far | {"command":"true","wall":604800001}
		422 invalid_field /mem.*1024/ | no memory | {"command":"true","mem":1023}
		422 invalid_field /stack.*128/ | no stack | {"command":"true","stack":127}
		422 invalid_field /nofile.*3/ | no files | {"command":"true","nofile":2}
		422 invalid_field /nproc.*1/ | no processes | {"command":"true","nproc":0}
		422 invalid_field /disk.*64/ | no disk | {"command":"true","disk":63}
		422 invalid_field /cpus.*0\.01/ | no CPU | {"command":"true","cpus":0}
		422 invalid_field /cpus/ | a part of a thousandth | {"command":"true","cpus":0.0005}
		200 - | the smallest | {"command":"true","fsize":0,"nofile":64,"output":0,"disk":64}
		200 - | half a CPU | {"command":"true","cpus":0.5}
	END
fi

if testcase "answers are JSON, whatever the request has in it"; then
	for name in '\"' '\\' '\u001b[2J' '\u2028' '</script>' '\ud83d\ude00' \
	    '%s%n' '\u007f'; do
		http POST /run "{\"command\":\"true\",\"$name\":1}"
		expect_error 422 invalid_field
		check_not "a control character comes back" \
		    grep -qP '[\x00-\x09\x0b-\x1f\x7f]' out
	done
fi
