//! Who runs the tasks of a trigger.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::batch_queue::{Task, TaskOutcome};
use crate::function::{Function, InvokeError};
use crate::message::Destination;

/// Runs the tasks of a trigger: invocations of its function, and messages to its destination.
///
/// A trigger has at most one task under way for each queue of a shard. Any closure that takes a task is an executor.
pub trait Executor: Send + Sync {
    /// Runs a task, at once or later, on any thread. Until it has run, its queue delivers nothing else.
    ///
    /// # Errors
    ///
    /// If the task cannot be run. The trigger tries it again after a pause.
    fn execute(&self, task: Box<dyn FnOnce() + Send>) -> io::Result<()>;
}

impl<F> Executor for F
where
    F: Fn(Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync,
{
    fn execute(&self, task: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        self(task)
    }
}

/// Runs each task on a thread of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threads;

impl Executor for Threads {
    fn execute(&self, task: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        std::thread::Builder::new().name("pretender-invoke".to_owned()).spawn(task).map(drop)
    }
}

/// Carries out a task.
pub(crate) fn perform(
    task: Task,
    function: &dyn Function,
    destination: Option<&dyn Destination>,
) -> TaskOutcome {
    match task {
        Task::Invoke(event) => {
            let answer = catch_unwind(AssertUnwindSafe(|| function.invoke(event.as_bytes())));
            TaskOutcome::Invoked(answer.unwrap_or_else(|panic| Err(InvokeError::failed(panic_text(&*panic)))))
        }
        Task::Report(message) => TaskOutcome::Reported(match destination {
            Some(destination) => catch_unwind(AssertUnwindSafe(|| destination.send(&message)))
                .unwrap_or_else(|panic| Err(panic_text(&*panic))),
            None => Ok(()),
        }),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("of unknown kind"))
}
