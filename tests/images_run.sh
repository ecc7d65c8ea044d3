#!/bin/bash
# A run in an image has its environment, directory, user and command, where the
# call does not say them itself; and a session in it keeps what is written.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/images/lib.sh
. "$(dirname "$0")/images/lib.sh"

[[ -n $(type -P skopeo) ]] || t_give_up "there is no skopeo"
fixture_base

# An image with this configuration: configured NAME CONFIG
configured()
{
	layout "$1.oci" t "$2" "$BASE"
	made "$1" pull "oci:$1.oci:t" "$1"
}

if testcase "what an image says of a run counts where the call says nothing"
then
	configured says '{"Env": ["PATH=/bin", "A=1", "B=two words", "NONE"],
	    "WorkingDir": "/opt", "Entrypoint": ["sh", "-c"],
	    "Cmd": ["echo $A $B; pwd; id -u; echo $HOME"]}'
	run_in says
	expect_out $'1 two words\n/opt\n0\n/root'
	run_in says --env A=3 --cwd /tmp --env HOME=/x
	expect_out $'3 two words\n/tmp\n0\n/x'
	# A command of the call is the whole command.
	run_in says -- sh -c 'pwd; echo $#; echo $A $B $HOME' x
	expect_out $'/opt\n0\n1 two words /root'
	image show says
	expect_out_has '^cwd +/opt$'
	expect_out_has '^env +B=two words$'
	expect_out_has '^command +-c$'
	configured silent '{}'
	run_in silent
	expect_status 64
	run_in silent -- pwd
	expect_out /
	run_in silent -- sh -c 'echo $PATH'
	expect_out /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	configured relative '{"Env": ["PATH=/bin"], "WorkingDir": "opt"}'
	run_in relative -- pwd
	expect_out /opt
	forget
fi

if testcase "too many variables with those of the image are the caller's fault"
then
	configured says '{"Env": ["PATH=/bin"]}'
	words=()
	for n in {1..4096}; do
		words+=(--env "V$n=1")
	done
	run_in says "${words[@]:2}" -- true
	expect_status 0
	run_in says "${words[@]}" -- true
	expect_status 64
	expect_err_has '^mayfly: run: env: more than 4096 variables'
	create --image says "${words[@]}"
	inside -- true
	expect_status 64
	expect_err_has '^mayfly: session: env: more than 4096 variables'
	session delete "$id"
	forget
fi

if testcase "a name that leads out of the images is that of none"; then
	configured there '{"Env": ["PATH=/bin"]}'
	mv "$STATE/images/there" "$STATE/elsewhere"
	for name in ../elsewhere "$STATE/elsewhere" there/../../elsewhere; do
		run_in "$name" -- echo a
		expect_status 125
		expect_err_has 'no image'
		mayfly session create --image "$name" >out 2>err
		check "a session was made" test ! -s out
		image show "$name"
		expect_no_out
	done
	mv "$STATE/elsewhere" "$STATE/images/there"
	run_in there -- echo a
	expect_out a
	forget
fi

if testcase "an image's own directory is made where it is missing"; then
	configured image '{"Env": ["PATH=/bin"],
	    "WorkingDir": "/opt//not/there/"}'
	run_in image -- sh -c 'pwd; stat -c "%a %u:%g" . /opt/not; ls -A'
	expect_out $'/opt/not/there\n755 0:0\n755 0:0'
	# What the call says itself is not made.
	run_in image --cwd /opt/none -- pwd
	expect_status 125
	expect_err_has '^mayfly: cwd: '
	create --image image
	inside -- sh -c 'echo x >file; pwd'
	expect_out /opt/not/there
	inside -- sh -c 'cat /opt/not/there/file; rm -r /opt/not'
	expect_out x
	inside -- sh -c 'pwd; ls -A; cd /; rm -r /opt; ln -s /proc /opt'
	expect_out /opt/not/there
	# A link of the session's own leads nowhere out of it.
	inside -- pwd
	expect_status 125
	expect_err_has '^mayfly: cwd: '
	session delete "$id"
	mkdir -p d
	ln -s ../../../../../nowhere d/link
	ln -s /etc/group d/file
	tar -C d -cf "$FIXTURES/links.tar" .
	for dir in link/sub/dir file/dir; do
		layout "links.oci" t "{\"WorkingDir\": \"/$dir\",
		    \"Env\": [\"PATH=/bin\"]}" "$BASE" "$FIXTURES/links.tar"
		made links pull oci:links.oci:t links
		run_in links -- pwd
		expect_status 125
		expect_err_has '^mayfly: cwd: '
		rm -r links.oci
	done
	forget
fi

if [[ $AS != user ]] &&
    testcase "a user has the groups that the image has it in"; then
	mkdir -p d/etc
	printf '%s\n' root:x:0: adm:x:4:root,app staff:x:50:other,app \
	    app:x:1001: wheel:x:10:root odd:x:x:app odd2:x:70000:app \
	    >d/etc/group
	tar -C d --owner=0 --group=0 -cf "$FIXTURES/group.tar" .
	layout groups.oci t '{"Env": ["PATH=/bin"], "User": "app"}' "$BASE" \
	    "$FIXTURES/group.tar"
	made groups pull oci:groups.oci:t groups
	while read -r user want; do
		run_in groups ${user:+--user "$user"} -- id -G
		expect_out "$want"
	done <<-'END'
		app 1001 4 50
		1000 1000
		app:staff 50
		root 0 4 10
		bare 78
	END
	run_in groups -- id -G
	expect_out '1001 4 50'
	create --image groups
	inside -- sh -c 'id -G; grep Groups: /proc/self/status'
	expect_out $'1001 4 50\nGroups:\t4 50 '
	session delete "$id"
	forget
fi

if [[ $AS != user ]] && testcase "a user is a name or a number, as Docker has it"
then
	while read -r user want; do
		configured image "{\"Env\": [\"PATH=/bin\"],
		    \"User\": \"$user\"}"
		run_in image -- sh -c 'echo $(id -u) $(id -g) $HOME'
		expect_out "$want"
		image delete image
		rm -r image.oci
	done <<-'END'
		app 1000 1001 /home/app
		app:staff 1000 50 /home/app
		app:7 1000 7 /home/app
		1000 1000 1001 /home/app
		1000:7 1000 7 /home/app
		4321 4321 0 /home
		bare 77 78 /home
		1234 55 56 /tmp
		root 0 0 /root
		0 0 0 /root
	END
	configured image '{"Env": ["PATH=/bin"], "User": "app"}'
	while read -r user want; do
		run_in image --user "$user" -- \
		    sh -c 'echo $(id -u) $(id -g) $HOME'
		expect_out "$want"
	done <<-'END'
		root 0 0 /root
		0 0 0 /root
		0:0 0 0 /root
		bare:staff 77 50 /home
		7:8 7 8 /home
	END
	# It has its own files, and not those of others.
	run_in image -- sh -c 'echo x >$HOME/mine && echo x >/dev/stdout &&
	    ls /root'
	expect_out x
	expect_err_has '/root.*Permission denied'
	for user in nobody-here app:none :staff 65536 -1 'a b'; do
		run_in image --user "$user" -- true
		expect_status 64 125
		expect_err_has '^mayfly: '
	done
	forget
fi

if [[ $AS == user ]] && testcase "who has one id is told what user there can be"
then
	configured image '{"Env": ["PATH=/bin"], "User": "app"}'
	run_in image -- sh -c 'echo $(id -u) $HOME'
	# It is whoever the image says, or it is said why not.
	[[ $status == 0 && $(cat out) == "1000 /home/app" ]] ||
	    { expect_status 125; expect_err_has '^mayfly: user: '; }
	run_in image --user 0 -- sh -c 'echo $(id -u) $HOME'
	expect_out '0 /root'
	forget
fi

if testcase "nothing that a run writes gets into the image"; then
	configured image "$PLAIN"
	run_in image -- sh -c 'rm -r /etc /opt /home; echo x >/bin/busybox
	    chmod 0 /root; echo >/new; ln -sf nothing /bin/ls'
	expect_status 0
	run_in image -- sh -c 'ls -d /etc/group /opt /home/app; ls /new
	    stat -c %a /root'
	expect_out $'/etc/group\n/home/app\n/opt\n700'
	check "the image has it" test -z "$(find "$STATE/layers" -name new)"
	forget
fi

if testcase "a set-id file of an image is one without effect"; then
	mkdir d
	cp "$(type -P busybox)" d/id
	tar -C d --mode=6755 --owner=0 --group=0 -cf "$FIXTURES/suid.tar" id
	layout suid.oci t "$PLAIN" "$BASE" "$FIXTURES/suid.tar"
	made suid pull oci:suid.oci:t suid
	if [[ $AS != user ]]; then
		run_in suid --user 1000:1000 -- /id
		expect_out_has '^uid=1000.* gid=1000'
		expect_out_lacks 'euid'
	fi
	run_in suid -- stat -c %a /id
	expect_out 6755
	forget
fi

if testcase "a session in an image keeps what is written, also from others"
then
	configured image '{"Env": ["PATH=/bin", "A=1"], "WorkingDir": "/tmp"}'
	create --image image
	inside -- sh -c 'pwd; echo $A; echo mine >/etc/mine; rm /etc/group
	    echo more >>/etc/passwd; rm -r /opt; mkdir /opt; echo x >/opt/x
	    mv /home/app /home/moved'
	expect_out $'/tmp\n1'
	inside -- sh -c 'cat /etc/mine; tail -n 1 /etc/passwd; ls /opt /home
	    ls /etc/group'
	expect_out $'mine\nmore\n/home:\nmoved\n\n/opt:\nx'
	expect_err_has '/etc/group: No such file'
	run_in image -- ls /etc/group /etc/mine
	expect_out /etc/group
	session show "$id" --json
	expect_json '.image == "image"'
	session delete "$id"
	expect_status 0
	forget
fi

if testcase "an image that is deleted goes on in its sessions"; then
	configured image '{"Env": ["PATH=/bin", "A=1"], "User": "0"}'
	create --image image
	inside -- sh -c 'echo x >/root/x'
	image delete image
	expect_status 0
	collect
	inside -- sh -c 'cat /root/x /etc/group; echo $A'
	expect_status 0
	expect_out_has '^staff'
	expect_out_has '^1$'
	mayfly session create --image image </dev/null >out 2>err
	status=$?
	expect_status 64 125
	# Another of that name is another.
	made image import "$BASE" image
	inside -- sh -c 'cat /root/x; echo $A'
	expect_out $'x\n1'
	session delete "$id"
	forget
fi

if testcase "a run goes on while its image is deleted and reaped"; then
	configured image "$PLAIN"
	mkfifo in
	exec 9<>in
	spawn run --image image -- sh -c 'echo up; read x; cat /etc/group' <in
	await "the command runs" grep -q up out
	t_as "$MAYFLY" image delete image >deleted 2>&1
	collect
	echo >&9
	finish
	exec 9>&-
	expect_status 0
	expect_out_has '^staff'
	forget
fi

if testcase "30 and 120 layers are one root"; then
	for n in 30 120; do
		layers=("$BASE")
		for ((i = 0; i < n; i++)); do
			mkdir -p "d$i/many"
			echo "$i" >"d$i/many/$i"
			echo "$i" >"d$i/last"
			tar -C "d$i" -cf "$i.tar" .
			layers+=("$i.tar")
		done
		layout "$n.oci" t "$PLAIN" "${layers[@]}"
		made "of$n" pull "oci:$n.oci:t" "of$n"
		run_in "of$n" -- sh -c 'ls /many | wc -l; cat /last'
		expect_out "$n"$'\n'"$((n - 1))"
		create --image "of$n"
		inside -- sh -c 'rm -r /many; echo new >/last'
		inside -- sh -c 'cat /last; ls /many'
		expect_out new
		session delete "$id"
	done
	forget
fi

t_done
