#!/bin/sh
# Runs a sweep as a job array on a Slurm of one node that this script sets up, and compares it with the same sweep run
# here. Where Slurm is not installed or does not start, says why and succeeds.
#
#   sh Scripts/slurm-check.sh [path of ridgeline]
set -eu
cd "$(dirname "$0")/.."
ridgeline=$(realpath "${1:-.build/release/ridgeline}")

skip() {
  echo "slurm check skipped: $1" >&2
  exit 0
}

for program in slurmctld slurmd sbatch squeue munged; do
  PATH=$PATH:/usr/sbin command -v "$program" > /dev/null 2>&1 || skip "$program is not installed (Debian: slurm-wlm munge)"
done
[ "$(id -u)" -eq 0 ] || skip "it needs root, to start the daemons"
PATH=$PATH:/usr/sbin

scratch=$(mktemp -d)
started=""
stop() {
  for process in $started; do kill "$process" 2> /dev/null || true; done
  sleep 1
  for process in $started; do kill -9 "$process" 2> /dev/null || true; done
  rm -rf "$scratch"
}
trap stop EXIT

# A munge of its own, with its own key and socket.
mkdir -m 0755 "$scratch/munge"
dd if=/dev/urandom of="$scratch/munge/key" bs=1024 count=1 2> /dev/null
chmod 0600 "$scratch/munge/key"
munged --foreground --force --key-file="$scratch/munge/key" --socket="$scratch/munge/socket" \
  --pid-file="$scratch/munge/pid" --log-file="$scratch/munge/log" --seed-file="$scratch/munge/seed" \
  > "$scratch/munge/out" 2>&1 &
started="$started $!"
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S "$scratch/munge/socket" ] && break; sleep 0.5; done
[ -S "$scratch/munge/socket" ] || skip "munge does not start: $(tail -n 1 "$scratch/munge/out" "$scratch/munge/log" 2> /dev/null | tail -n 1)"

node=$(hostname -s)
mkdir "$scratch/state" "$scratch/spool"
cat > "$scratch/slurm.conf" << EOF
ClusterName=check
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$scratch/munge/socket
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
SlurmctldLogFile=$scratch/slurmctld.log
SlurmdLogFile=$scratch/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_res
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=check Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF="$scratch/slurm.conf"
slurmctld -D > "$scratch/slurmctld.out" 2>&1 &
started="$started $!"
slurmd -D > "$scratch/slurmd.out" 2>&1 &
started="$started $!"
up=""
for _ in $(seq 60); do
  case "$(sinfo --noheader --format %T 2> /dev/null)" in idle*) up=yes; break ;; esac
  sleep 0.5
done
[ -n "$up" ] || skip "Slurm does not come up: $(tail -n 2 "$scratch/slurmctld.out" "$scratch/slurmd.out" | tr '\n' ' ')"

cat > "$scratch/small.yaml" << EOF
name: small
title: A small sweep
model: opt-125m
hardware: t4
traffic: {name: chat-short, rate_per_s: 5}
horizon: {requests: 300}
EOF
sweep() { "$ridgeline" sweep "$scratch/small.yaml" --vary traffic.rate_per_s=1..40:24 --format csv "$@"; }
sweep --store "$scratch/here.sqlite" > "$scratch/here.csv"
sweep --store "$scratch/slurm.sqlite" --slurm 4 > "$scratch/slurm.csv"
cmp "$scratch/here.csv" "$scratch/slurm.csv"
echo "slurm check: 24 points by a job array of 4 tasks are those run here" >&2
