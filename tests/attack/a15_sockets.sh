#!/bin/bash
# A15: every socket family, type and protocol, also with bits above the 32 that
# the kernel looks at.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A15

# The whole table: UNIX, INET, INET6 and NETLINK in their everyday types and
# protocols. SOCK_SEQPACKET is 5, SOCK_DCCP is 6; 33 DCCP, 115 L2TP, 132 SCTP,
# 136 UDPLITE, 262 MPTCP.
table()
{
	local family type

	for family in $(count 0 45); do
		for type in {1..6}; do
			echo "$family $type:$(answer "$family" "$type")"
		done
	done
}

answer()
{
	case "$1 $2" in
	'1 1' | '1 2' | '1 5')
		# The kernel knows no protocol of a local socket.
		by_protocol ok EPROTONOSUPPORT EPROTONOSUPPORT
		;;
	'2 1' | '10 1') by_protocol ok ok EPROTONOSUPPORT ;;
	'2 2' | '10 2') by_protocol ok EPROTONOSUPPORT ok ;;
	'16 2' | '16 3') by_protocol ok EPROTONOSUPPORT EPROTONOSUPPORT ;;
	'1 '* | '2 '* | '10 '* | '16 '*) echo " ESOCKTNOSUPPORT" ;;
	*) echo " EAFNOSUPPORT" ;;
	esac
}

by_protocol()
{
	local rest

	printf ' 0=%s 6=%s 17=%s' "$@"
	for rest in 33 115 132 136 262; do
		printf ' %s=EPROTONOSUPPORT' "$rest"
	done
	echo
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "the table of all sockets is exactly the one allowed"; then
		attack a15_sockets
		expect_contained < <(
			table
			echo "asked 11040, made 65"
		)
	fi

	if attackcase "of netlink only routing is allowed, not XFRM or audit"
	then
		attack a15_sockets netlink
		expect_contained <<-END
			$(for protocol in {0..31}; do
				if ((protocol == 0)); then
					answer=ok
				else
					answer=EPROTONOSUPPORT
				fi
				echo "netlink raw $protocol: $answer"
				echo "netlink dgram $protocol: $answer"
			done)
		END
	fi

	if attackcase "other ways to a socket, and options that load code"; then
		attack a15_sockets others
		expect_contained <<-END
			packet: ESOCKTNOSUPPORT
			family 65536: EAFNOSUPPORT
			family -1: EAFNOSUPPORT
			socketpair tipc: EAFNOSUPPORT
			socketpair tipc + 1<<32: EAFNOSUPPORT
			TCP_ULP tls: ENOPROTOOPT
			TCP_ULP espintcp + 1<<32: ENOPROTOOPT
			SO_RCVBUFFORCE: EPERM
			SO_ATTACH_BPF: EINVAL
			SO_MARK: EPERM
			socketpair unix: ok
		END
	fi

	if attackcase "with --network off there is no socket at all"; then
		OPTIONS=(--network off)
		attack a15_sockets
		expect_contained < <(
			for family in {0..45}; do
				for type in {1..6}; do
					echo "$family $type: EAFNOSUPPORT"
				done
			done
			echo "asked 11040, made 0"
		)
	fi
done
t_done
