#!/usr/bin/perl
#
# Lists what a sandbox could leave on the host, one thing a line: what leaks.sh
# compares. One process, since it is done around every case.
#
#	leaks.pl all|orphaned OWN PROGRAMS STAYING [DIRECTORY]...
#
# Of files below the directories, all, or those without an owner. OWN is a uid
# whose processes count, PROGRAMS a pattern for the commands of ours, STAYING the
# one of them that is no leak.

use strict;
use warnings;
use Fcntl ':flock';

my ($which, $own, $programs, $staying, @directories) = @ARGV;
my %found;

sub content
{
	my ($path) = @_;
	local $/;
	open my $file, '<', $path or return '';
	my $text = <$file>;
	return $text // '';
}

sub entries
{
	my ($path) = @_;
	opendir my $directory, $path or return;
	return map { "$path/$_" } grep { !/^\.\.?$/ } readdir $directory;
}

sub processes
{
	my $stays = readlink("/proc/$staying/ns/mnt") // '';
	for my $path (glob '/proc/[0-9]*') {
		my ($pid) = $path =~ /(\d+)$/;
		my $status = content("$path/status");
		my ($name) = $status =~ /^Name:\s+(\S*)/m;
		my ($uid) = $status =~ /^Uid:\s+(\d+)/m;
		$found{"process $pid $name of uid $uid"} = 1 if defined $uid &&
		    ($uid >= 65536 || $own != 0 && $uid == $own);
		$found{"process $pid is mayfly"} = 1 if $pid ne $staying &&
		    content("$path/cmdline") =~ /^$programs/;
		for (qw(mnt pid net user ipc uts cgroup)) {
			my $namespace = readlink("$path/ns/$_") // next;
			$found{"namespace $namespace"} = 1
			    if $namespace ne $stays;
		}
	}
}

sub mounts
{
	for (split /\n/, content('/proc/self/mountinfo')) {
		my @fields = split / /;
		$found{"mount @fields[0, 4, 9 .. $#fields]"} = 1;
	}
}

# Calls what it is given for all that is below a directory.
sub walk
{
	my ($path, $take) = @_;
	for (entries($path)) {
		$take->($_);
		walk($_, $take) if !-l && -d;
	}
}

# Segments, semaphores and queues live in the IPC namespace the case runs in.
sub ipc
{
	walk($_, sub { $found{"shared memory $_[0]"} = 1 })
	    for '/dev/shm', '/dev/mqueue';
	for my $path (map { "/proc/sysvipc/$_" } qw(shm sem msg)) {
		my (undef, @lines) = split /\n/, content($path);
		$found{"$path id " . (split)[1]} = 1 for @lines;
	}
}

# A file that can be locked has no living owner. One that cannot belongs to
# another mayfly, running beside this test, and is no leak of ours.
sub is_owned
{
	my ($path) = @_;
	return 0 if $which eq 'all' || !(-f $path || -d $path);
	open my $file, '<', $path or return 1;
	return !flock $file, LOCK_EX | LOCK_NB;
}

# A directory of cgroups has a link for each below it. A container that another
# topic boots has cgroups of its own.
sub cgroups
{
	my ($path) = @_;
	return if ((lstat $path)[3] // 2) <= 2;
	for (entries($path)) {
		next if m{/payload$} || !-d || -l;
		$found{"cgroup $_"} = 1 if m{/mayfly[^/]*$} &&
		    !m{/mayfly-self$|\.(service|slice|scope|socket|timer)$};
		cgroups($_);
	}
}

processes();
mounts();
ipc();
walk($_, sub { $found{"file $_[0]"} = 1 unless is_owned($_[0]) })
    for @directories;
cgroups('/sys/fs/cgroup');
print map { "$_\n" } keys %found;
