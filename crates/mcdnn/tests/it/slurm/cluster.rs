//! A cluster with Slurm: munge, a controller and two nodes of one core each, without a database.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const NODES: [&str; 2] = ["one", "two"];
/// Where Debian has the daemons.
const DAEMONS: [&str; 3] = ["/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd"];
/// No wait takes longer: Slurm looks at time limits every 30 seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// The processes end with this value.
pub(super) struct Cluster {
    folder: TempDir,
    daemons: RefCell<BTreeMap<String, Child>>,
}

/// The program at work for a task of an array.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) task: usize,
    pub(super) node: String,
    pub(super) pid: Pid,
}

impl Cluster {
    /// Starts the daemons.
    ///
    /// # Errors
    /// Says why there can be no such cluster here.
    pub(super) fn start() -> Result<Self, String> {
        if !rustix::process::getuid().is_root() {
            return Err("its daemons need root".to_owned());
        }
        if let Some(missing) = DAEMONS.iter().find(|daemon| !Path::new(daemon).exists()) {
            return Err(format!("no {missing}; Debian's packages slurm-wlm and munge have it"));
        }
        let cluster = Self { folder: tempfile::tempdir().unwrap(), daemons: RefCell::default() };
        let key: String = (0..32).map(|i| char::from(b'!' + i * 2)).collect();
        cluster.write("munge.key", &key);
        Command::new("chmod").arg("400").arg(cluster.path("munge.key")).status().unwrap();
        cluster.write("slurm.conf", &cluster.config());
        let there = cluster.folder.path().display();
        let munged = format!(
            "--foreground --force --key-file={there}/munge.key --socket={there}/munge.socket \
             --pid-file={there}/munged.pid --log-file={there}/munged.log --seed-file={there}/munge.seed"
        );
        cluster.daemon("munged", DAEMONS[0], &munged);
        cluster.wait_for("munge", || cluster.path("munge.socket").exists().then_some(()));
        cluster.daemon("slurmctld", DAEMONS[1], "-D -c");
        NODES.iter().for_each(|node| cluster.start_node(node));
        cluster.wait_for("two idle nodes", || {
            let states = cluster.slurm("sinfo", "--noheader --Node --format=%T");
            (states.lines().filter(|state| *state == "idle").count() == NODES.len()).then_some(())
        });
        Ok(cluster)
    }

    fn config(&self) -> String {
        let there = self.folder.path().display();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        // All at once, so that no two are the same.
        let listeners = [0; 3].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [controller, one, two] = listeners.each_ref().map(|it| it.local_addr().unwrap().port());
        format!(
            "ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={there}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={there}/state
SlurmdSpoolDir={there}/spool-%n
SlurmctldPidFile={there}/slurmctld.pid
SlurmdPidFile={there}/slurmd-%n.pid
SlurmctldLogFile={there}/slurmctld.log
SlurmdLogFile={there}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdTimeout=10
KillWait=5
SchedulerParameters=sched_interval=2
NodeName={0} NodeHostname=localhost NodeAddr=127.0.0.1 Port={one} CPUs=1
NodeName={1} NodeHostname=localhost NodeAddr=127.0.0.1 Port={two} CPUs=1
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
",
            NODES[0], NODES[1]
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn daemon(&self, name: &str, program: &str, arguments: &str) {
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace()).env("SLURM_CONF", self.path("slurm.conf"));
        command.env("TEST_NODE", self.mark(name)).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.daemons.borrow_mut().insert(name.to_owned(), command.spawn().unwrap());
    }

    /// What stands in the environment of everything that a daemon starts.
    fn mark(&self, name: &str) -> String {
        format!("{}-{name}", self.folder.path().display())
    }

    pub(super) fn start_node(&self, node: &str) {
        self.daemon(node, DAEMONS[2], &format!("-D -N {node}"));
    }

    /// Ends a node as a power cut would: its daemon, and everything that works there.
    pub(super) fn kill_node(&self, node: &str) {
        let mut daemon = self.daemons.borrow_mut().remove(node).unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        for (pid, environment) in processes() {
            let is_of_job = environment.get("SLURM_CONF")
                == Some(&self.path("slurm.conf").display().to_string())
                && environment.get("SLURMD_NODENAME").is_some_and(|name| name == node);
            if is_of_job || environment.get("TEST_NODE") == Some(&self.mark(node)) {
                let _ = kill_process(pid, Signal::KILL); // some end with those killed before
            }
        }
    }

    /// Submits a job and gives back its number.
    pub(super) fn submit(&self, arguments: &str) -> String {
        self.slurm("sbatch", &format!("--parsable {arguments}")).trim().to_owned()
    }

    pub(super) fn cancel(&self, job: &str) {
        self.slurm("scancel", job);
    }

    /// What one of Slurm's commands prints.
    fn slurm(&self, command: &str, arguments: &str) -> String {
        let program = Path::new(crate::PROGRAM).parent().unwrap().display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new(command)
            .args(arguments.split_whitespace())
            .env("SLURM_CONF", self.path("slurm.conf"))
            .env("PATH", format!("{program}:{path}"))
            .env_remove("SLURM_ARRAY_TASK_ID")
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The program that trains a task of an array at this moment.
    pub(super) fn program_of(&self, array: &str, task: usize) -> Option<Task> {
        let conf = self.path("slurm.conf").display().to_string();
        processes().into_iter().find_map(|(pid, environment)| {
            let is = |key: &str, value: &str| environment.get(key).is_some_and(|it| it == value);
            let is_of_task = is("SLURM_CONF", &conf)
                && is("SLURM_ARRAY_JOB_ID", array)
                && is("SLURM_ARRAY_TASK_ID", &task.to_string());
            let name = fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).unwrap_or_default();
            let node = environment.get("SLURMD_NODENAME")?.clone();
            (is_of_task && name.trim() == "mcdnn").then_some(Task { task, node, pid })
        })
    }

    pub(super) fn signal(&self, pid: Pid, signal: Signal) {
        kill_process(pid, signal).unwrap();
    }

    /// Whether a signal waits for a process that is stopped.
    pub(super) fn has_pending(&self, pid: Pid, signal: Signal) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        mask & (1 << (signal.as_raw() - 1)) != 0
    }

    /// Whether the controller has seen that a node no longer answers.
    pub(super) fn is_down(&self, node: &str) -> bool {
        self.slurm("sinfo", &format!("--noheader --nodes={node} --format=%T")).starts_with("down")
    }

    /// Lets jobs that Slurm has put back in line start now and not in two minutes.
    pub(super) fn hurry(&self) {
        let waiting = self.slurm("squeue", "--noheader --states=PENDING --array --format=%A_%r");
        for job in waiting.lines().filter_map(|line| line.strip_suffix("_BeginTime")) {
            self.slurm("scontrol", &format!("update JobId={job} StartTime=now"));
        }
    }

    pub(super) fn has_ended(&self, job: &str) -> bool {
        let state = self.slurm("squeue", &format!("--noheader --states=all --jobs={job} --format=%T"));
        matches!(state.trim(), "COMPLETED" | "FAILED" | "CANCELLED" | "TIMEOUT")
    }

    /// For a failed test: the queue, and the ends of the daemons' logs.
    pub(super) fn state(&self) -> String {
        let mut text = self.slurm("squeue", "--states=all --array");
        for log in ["slurmctld", "slurmd-one", "slurmd-two"] {
            let lines = fs::read_to_string(self.path(&format!("{log}.log"))).unwrap_or_default();
            let last: Vec<&str> = lines.lines().rev().take(15).collect();
            text += &format!("\n{log}:\n{}\n", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        text
    }

    /// Asks until there is an answer.
    #[track_caller]
    pub(super) fn wait_for<T>(&self, what: &str, answer: impl Fn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = answer() {
                return answer;
            }
            assert!(begun.elapsed() < LIMIT, "no {what} in {LIMIT:?}\n{}", self.state());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        NODES
            .iter()
            .filter(|node| self.daemons.borrow().contains_key(**node))
            .for_each(|node| self.kill_node(node));
        for daemon in self.daemons.borrow_mut().values_mut() {
            drop(daemon.kill().and_then(|()| daemon.wait()));
        }
        // What the controller has started.
        for (pid, environment) in processes() {
            if environment.get("TEST_NODE") == Some(&self.mark("slurmctld")) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Every process whose environment can be read, with its environment.
fn processes() -> Vec<(Pid, BTreeMap<String, String>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
        else {
            continue;
        };
        let Ok(bytes) = fs::read(entry.path().join("environ")) else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
        all.push((pid, pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()));
    }
    all
}
