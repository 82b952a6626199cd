//! The script for clusters, run by a real Slurm: a controller and two nodes on the loopback address, each a process of this test.

mod cluster;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use study::{ColumnFolder, ColumnId, Study};

use self::cluster::Cluster;
use crate::training::Fixture;

/// Long enough that a task is caught in the middle.
const EPOCHS: u32 = 150;
/// Longer than the test takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(400);

#[test]
fn a_study_survives_time_limits_and_a_dead_node_to_the_same_bits() {
    let cluster = match Cluster::start() {
        Ok(cluster) => cluster,
        Err(reason) => {
            eprintln!("skipped: the script for Slurm is not tested: {reason}");
            return;
        }
    };
    let changes = json!({ "epochs": EPOCHS, "widths": [12, 14, 16, "original"], "columns_per_width": 2 });
    let fixture = Fixture::with(changes.clone());
    let columns = Study::read(&fixture.config()).unwrap().columns();
    let results = fixture.results();
    let (root, config) = (results.root().display(), fixture.config());
    let logs = results.root().join("logs");
    fs::create_dir_all(&logs).unwrap();

    let (script, config) = (script(), config.display());
    let array = cluster.submit(&format!(
        "--array=0-7 --time=1 --signal=B:USR1@60 --output={root}/logs/%a.log {script} {root} --config {config}"
    ));
    let gather = cluster
        .submit(&format!("--dependency=afterany:{array} --output={root}/logs/report.log {script} {root}"));

    // The first column does not come to its end before its time limit is near, and a second node dies in the middle of one.
    let first = cluster.wait_for("the first task", || cluster.program_of(&array, 0));
    wait_for_epochs(&cluster, &results.column(&columns[0]));
    cluster.signal(first.pid, Signal::STOP);
    let lost = cluster.wait_for("a task on the other node", || {
        (1..8).filter_map(|task| cluster.program_of(&array, task)).find(|task| task.node != first.node)
    });
    wait_for_epochs(&cluster, &results.column(&columns[lost.task]));
    cluster.signal(lost.pid, Signal::STOP);
    cluster.kill_node(&lost.node);
    cluster.wait_for("the time limit", || cluster.has_pending(first.pid, Signal::USR1).then_some(()));
    cluster.signal(first.pid, Signal::CONT);
    cluster.wait_for("the node's death", || cluster.is_down(&lost.node).then_some(()));
    cluster.start_node(&lost.node);

    let begun = Instant::now();
    while !cluster.has_ended(&gather) {
        assert!(begun.elapsed() < LIMIT, "{}", cluster.state());
        cluster.hurry();
        std::thread::sleep(Duration::from_millis(500));
    }
    check_cancelled(&cluster);

    let log = |name: &str| fs::read_to_string(logs.join(name)).unwrap();
    let all_logs: Vec<String> = (0..8).map(|task| log(&format!("{task}.log"))).collect();
    assert!(all_logs[0].contains("error: interrupted and saved; "), "{}", all_logs[0]);
    assert!(all_logs[0].contains("begun 2 times"), "{}", all_logs[0]);
    assert!(all_logs[lost.task].contains("begun 2 times"), "{}", all_logs[lost.task]);

    // No epoch was trained twice: its line is printed once it is saved.
    let mut lines: BTreeMap<(ColumnId, u32), u32> = BTreeMap::new();
    for line in all_logs.iter().flat_map(|log| log.lines()) {
        let Some((column, rest)) = line.split_once(" epoch ") else { continue };
        let (Ok(column), Some((epoch, _))) = (column.trim().parse(), rest.split_once('/')) else { continue };
        *lines.entry((column, epoch.parse().unwrap())).or_default() += 1;
    }
    assert!(lines.values().all(|&times| times == 1), "{lines:?}");
    let n_epochs = columns.len() * EPOCHS as usize;
    // Who is killed between the two has saved an epoch and not printed it.
    assert!((n_epochs - 1..=n_epochs).contains(&lines.len()), "{} of {n_epochs} epochs", lines.len());

    // The last job has gathered.
    let report = log("report.log");
    assert!(report.contains("\n# Study tiny: error on 100 test digits"), "{report}");
    assert!(results.report_page_path().exists() && results.committee_path().exists());

    let local = Fixture::with(changes);
    local.run(&["--workers", "2", "--quiet"]).check(0, &[]);
    for id in &columns {
        let (there, here) = (results.column(id), local.results().column(id));
        for file in [ColumnFolder::weights, ColumnFolder::probabilities] {
            assert!(fs::read(file(&there)).unwrap() == fs::read(file(&here)).unwrap(), "{id} has other bits");
        }
        assert_eq!(study::read_metrics(&there.metrics()).unwrap().len(), EPOCHS as usize, "{id}");
    }
}

/// A job that is cancelled saves its column, and does not get in line again.
fn check_cancelled(cluster: &Cluster) {
    let fixture = Fixture::with(json!({ "epochs": 20_000 }));
    let (script, config) = (script(), fixture.config());
    let root = fixture.results().root().to_path_buf();
    let log = fixture.config().with_file_name("cancelled.log");
    let (root, config, shown_log) = (root.display(), config.display(), log.display());
    let job = cluster.submit(&format!("--array=0 --output={shown_log} {script} {root} --config {config}"));
    wait_for_epochs(cluster, &fixture.column("w14-1"));
    cluster.cancel(&job);
    cluster.wait_for("the end of a cancelled job", || cluster.has_ended(&job).then_some(()));
    let log = fs::read_to_string(log).unwrap();
    assert!(
        log.contains("stopped: 0 of 1 column finished, 1 saved in mid-training")
            && log.contains("begun 1 times"),
        "{log}"
    );
    assert!(fixture.column("w14-1").checkpoint().exists());
}

fn script() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cluster/slurm.sbatch").display().to_string()
}

fn wait_for_epochs(cluster: &Cluster, column: &ColumnFolder) {
    cluster.wait_for("an epoch", || {
        let epochs = study::read_metrics(&column.metrics()).unwrap_or_default();
        (!epochs.is_empty()).then_some(())
    });
}
