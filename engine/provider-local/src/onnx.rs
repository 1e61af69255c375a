//! [`Onnx`]: an ONNX network on `rten`, one thread an inference.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value, ValueOrView};

use crate::Error;

thread_local! {
    /// The one `rten` thread of each inference thread. Sentences of different sessions run side by side, and none
    /// takes more than one core away from the others; the pool that `rten` shares by default would do neither.
    static THREAD: Arc<ThreadPool> = Arc::new(ThreadPool::with_num_threads(1));
}

/// A network with its inputs and outputs found by name.
pub(crate) struct Onnx<const I: usize, const O: usize> {
    path: PathBuf,
    model: Model,
    inputs: [NodeId; I],
    outputs: [NodeId; O],
}

impl<const I: usize, const O: usize> Onnx<I, O> {
    /// Loads the network in `path`.
    pub(crate) fn load(path: &Path, inputs: [&str; I], outputs: [&str; O]) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|e| Error::unreadable(path, e))?;
        let model = Model::load(bytes).map_err(|e| Error::damaged(path, e))?;
        let find = |name: &str| {
            model.find_node(name).ok_or_else(|| Error::damaged(path, format_args!("it has no node {name}")))
        };
        let (mut input_ids, mut output_ids) = (Vec::with_capacity(I), Vec::with_capacity(O));
        for name in inputs {
            input_ids.push(find(name)?);
        }
        for name in outputs {
            output_ids.push(find(name)?);
        }
        let inputs = input_ids.try_into().expect("one id was found for each name");
        let outputs = output_ids.try_into().expect("one id was found for each name");
        Ok(Self { path: path.to_owned(), model, inputs, outputs })
    }

    /// Runs it once.
    pub(crate) fn run(&self, values: [ValueOrView<'_>; I]) -> Result<[Value; O], Error> {
        let options = RunOptions::default().with_thread_pool(Some(THREAD.with(Arc::clone)));
        let inputs = self.inputs.into_iter().zip(values).collect();
        self.model.run_n(inputs, self.outputs, Some(options)).map_err(|e| Error::Inference(e.to_string()))
    }

    /// The error for an output of another type or shape than the network's description says.
    pub(crate) fn unexpected(&self, output: &str) -> Error {
        Error::damaged(&self.path, format_args!("its output {output} has an unexpected type or shape"))
    }
}

impl<const I: usize, const O: usize> core::fmt::Debug for Onnx<I, O> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Onnx").field("path", &self.path).finish_non_exhaustive()
    }
}
