//! Training a group of columns in lockstep, one engine for all, from where they stand to their test probabilities.

use std::collections::BTreeMap;

use ciresan_net::{Engine, EngineError, OptimizerState, Parameters};
use rayon::prelude::*;
use study::{ColumnId, EpochRecord, Study};

use crate::column::{Column, Digits, State};
use crate::column_error::ColumnError;
use crate::epoch;
use crate::group_error::GroupError;
use crate::job::{Job, Outcome};
use crate::make_engine::MakeEngine;
use crate::observer::Event;

/// Trains columns that stand at the same step until they are finished or the stop flag is set. A column that cannot
/// go on leaves the group, and the others train on.
pub(crate) fn train<M: MakeEngine>(job: &Job<'_, '_>, columns: &[ColumnId], make: &M) {
    let Some(mut group) = Group::begin(job, columns, make) else { return };
    if let Err(error) = group.train() {
        group.lose_all(&error);
    }
}

/// The columns at work and their engine, of which number i is that of column i.
struct Group<'a, 'setup, M: MakeEngine> {
    job: &'a Job<'a, 'setup>,
    make: &'a M,
    columns: Vec<Column<'a, 'setup>>,
    engine: M::Engine,
}

impl<'a, 'setup, M: MakeEngine> Group<'a, 'setup, M> {
    /// Begins the columns; `None` when none can.
    fn begin(job: &'a Job<'a, 'setup>, ids: &[ColumnId], make: &'a M) -> Option<Self> {
        let (mut columns, mut states) = (Vec::new(), Vec::new());
        for &id in ids {
            match Column::begin(job, id) {
                Ok((column, state)) => {
                    columns.push(column);
                    states.push(state);
                }
                Err(error) => (job.ended)(id, Err(error)),
            }
        }
        if columns.is_empty() {
            return None;
        }
        match engine(job, make, states) {
            Ok(engine) => {
                for column in &columns {
                    job.tell(Event::ColumnStarted {
                        worker: job.worker,
                        column: column.id,
                        epochs_done: column.position.epoch,
                        images_done: column.images_done(),
                    });
                }
                Some(Self { job, make, columns, engine })
            }
            Err(error) => {
                columns.iter().for_each(|column| (job.ended)(column.id, Err(error.clone().into())));
                None
            }
        }
    }

    fn train(&mut self) -> Result<(), GroupError> {
        self.finish(None)?;
        if self.columns.is_empty() {
            return Ok(());
        }
        let mut digits = self.digits()?;
        while !self.columns.is_empty() {
            let lost = epoch::train(self.job, &mut self.engine, &mut self.columns, &digits)?;
            if !lost.is_empty() {
                self.lose(lost, Some(&mut digits))?;
            } else if self.columns[0].position.step < self.job.run_length().steps_per_epoch {
                self.stop();
                return Ok(());
            } else {
                self.end_epoch(&mut digits)?;
                self.finish(Some(&mut digits))?;
            }
        }
        Ok(())
    }

    /// What the columns train on. Columns of one width share its canvases: those of 60,000 digits take 50 MB.
    fn digits(&mut self) -> Result<Vec<Digits<'a>>, GroupError> {
        let mut of_width = BTreeMap::new();
        let (mut digits, mut lost) = (Vec::new(), Vec::new());
        for (index, column) in self.columns.iter().enumerate() {
            let width = column.id.width;
            let [training, validation] = match of_width.get(&width) {
                Some(canvases) => Clone::clone(canvases),
                None => {
                    let all = self.job.setup.digits;
                    let training = self.job.normalize(all.training.images(), width)?;
                    let validation = self.job.normalize(all.validation.images(), width)?;
                    of_width.entry(width).or_insert([training, validation]).clone()
                }
            };
            match column.digits(training, validation) {
                Ok(of_column) => digits.push(of_column),
                Err(error) => lost.push((index, error)),
            }
        }
        self.lose(lost, None)?;
        Ok(digits)
    }

    /// Measures, then stores what the epoch has made of every column: side by side, because a disk that is made to write one
    /// file after the other takes longer than a GPU trains.
    fn end_epoch(&mut self, digits: &mut Vec<Digits<'a>>) -> Result<(), GroupError> {
        let Self { job, columns, engine, .. } = self;
        let mut measured = Vec::new();
        for (index, digits) in digits.iter().enumerate() {
            let error = digits.held_out.error(engine, index, job.classes()).map_err(ColumnError::from);
            measured.push(error.and_then(|error| Ok((error, State::of(engine, index)?))));
        }
        let stored: Vec<Result<EpochRecord, ColumnError>> = (columns.par_iter_mut().zip(measured))
            .map(|(column, measured)| measured.and_then(|(error, state)| column.end_epoch(error, state)))
            .collect();
        let mut lost = Vec::new();
        for (index, (column, stored)) in columns.iter().zip(stored).enumerate() {
            match stored {
                Ok(record) => {
                    job.tell(Event::EpochFinished { worker: job.worker, column: column.id, record: &record })
                }
                Err(error) => lost.push((index, error)),
            }
        }
        self.lose(lost, Some(digits))
    }

    /// Takes columns that cannot go on out of the group.
    fn lose(&mut self, lost: epoch::Lost, digits: Option<&mut Vec<Digits<'a>>>) -> Result<(), GroupError> {
        if lost.is_empty() {
            return Ok(());
        }
        let is_lost = |index| lost.iter().any(|(gone, _)| *gone == index);
        let (columns, others) = self.take_out(is_lost, digits)?;
        for (column, (_, error)) in columns.into_iter().zip(lost) {
            (self.job.ended)(column.id, Err(error));
        }
        self.go_on_with(others)
    }

    /// Finishes the columns that are trained: those leave the group.
    fn finish(&mut self, digits: Option<&mut Vec<Digits<'a>>>) -> Result<(), GroupError> {
        let is_trained: Vec<bool> = self.columns.iter().map(Column::is_trained).collect();
        if !is_trained.contains(&true) {
            return Ok(());
        }
        let (trained, others) = self.take_out(|index| is_trained[index], digits)?;
        let Study { network, optimizer, .. } = self.job.setup.study;
        let kept = trained.iter().filter_map(Column::kept_parameters).map(|parameters| State {
            parameters: parameters.clone(),
            optimizer: OptimizerState::new(optimizer, network),
        });
        // Without early stopping all are trained at once, and keep what the engine has.
        if let Err(error) = self.go_on_with(kept.collect()) {
            trained.iter().for_each(|column| (self.job.ended)(column.id, Err(error.column_error())));
            return Err(error);
        }
        for (index, column) in trained.iter().enumerate() {
            (self.job.ended)(column.id, column.finish(&mut self.engine, index));
        }
        self.go_on_with(others)
    }

    /// Takes columns out of the group, with their digits. Also gives back the states of the others.
    fn take_out(
        &mut self,
        which: impl Fn(usize) -> bool,
        digits: Option<&mut Vec<Digits<'a>>>,
    ) -> Result<(Vec<Column<'a, 'setup>>, Vec<State>), GroupError> {
        let mut states = Vec::new();
        for index in (0..self.columns.len()).filter(|&index| !which(index)) {
            states.push(State::of(&self.engine, index)?);
        }
        let mut indices = 0..;
        let out = self.columns.extract_if(.., |_| indices.next().is_some_and(&which)).collect();
        if let Some(digits) = digits {
            let mut indices = 0..;
            digits.retain(|_| !indices.next().is_some_and(&which));
        }
        Ok((out, states))
    }

    /// Makes the engine anew, of columns in these states: it goes on with the same bits. Of none, it stays.
    fn go_on_with(&mut self, states: Vec<State>) -> Result<(), GroupError> {
        if !states.is_empty() {
            self.engine = engine(self.job, self.make, states)?;
        }
        Ok(())
    }

    fn stop(&mut self) {
        let states: Vec<_> = (0..self.columns.len()).map(|index| State::of(&self.engine, index)).collect();
        let saved: Vec<Result<(), ColumnError>> =
            (self.columns.par_iter().zip(states)).map(|(column, state)| column.save(state?)).collect();
        for (column, saved) in self.columns.iter().zip(saved) {
            (self.job.ended)(column.id, saved.map(|()| Outcome::Stopped));
        }
    }

    fn lose_all(&self, error: &GroupError) {
        for column in &self.columns {
            (self.job.ended)(column.id, Err(error.column_error()));
        }
    }
}

/// An engine with these columns.
fn engine<M: MakeEngine>(job: &Job<'_, '_>, make: &M, states: Vec<State>) -> Result<M::Engine, EngineError> {
    let (parameters, optimizers): (Vec<Parameters>, Vec<_>) =
        states.into_iter().map(|state| (state.parameters, state.optimizer)).unzip();
    let mut engine = make.make(job.worker, &job.setup.study.engine_spec(), &parameters)?;
    for (index, state) in optimizers.iter().enumerate() {
        engine.set_optimizer_state(index, state)?;
    }
    Ok(engine)
}
