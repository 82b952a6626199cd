//! Parameters and moments of N columns, each one flat tensor, and the update.

use super::batch::send;
use super::torch::Torch;
use crate::{Network, Optimizer, OptimizerState, ParameterSpec, Parameters, Precision};
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

/// The state of N columns. Its tensors are `[N, n_params]`, f32, in the order of [`Parameters`].
#[derive(Debug)]
pub(super) struct State {
    parameters: Tensor,
    optimizer: Optimizer,
    /// As [`Optimizer::moments`] has them.
    moments: Vec<Tensor>,
    /// Steps that each column has made.
    n_steps: Vec<u64>,
    layout: Arc<[ParameterSpec]>,
}

impl State {
    /// The columns with their first parameters, at least one, before their first step.
    pub(super) fn new(
        network: &Network,
        optimizer: Optimizer,
        device: Device,
        columns: &[Parameters],
    ) -> Torch<Self> {
        let values: Vec<f32> = columns.iter().flat_map(|column| column.values()).copied().collect();
        let size = [columns.len() as i64, network.n_params() as i64];
        let moments = optimizer.moments().iter().map(|_| Tensor::f_zeros(size, (Kind::Float, device)));
        Ok(Self {
            // to_device gives the very same tensor where it lies there already.
            parameters: Tensor::f_from_slice(&values)?.f_view(size)?.f_to_device(device)?,
            optimizer,
            moments: moments.collect::<Torch<_>>()?,
            n_steps: vec![0; columns.len()],
            layout: Parameters::layout_of(network),
        })
    }

    pub(super) fn n_columns(&self) -> usize {
        self.parameters.size()[0] as usize
    }

    /// The parameters of all columns tensor by tensor, each `[N, …]`: views, or copies of a coarser kind.
    ///
    /// The output layer's, the last two, stay f32.
    pub(super) fn tensors(&self, precision: Precision) -> Torch<Vec<Tensor>> {
        self.split(&self.parameters, precision)
    }

    /// The same for one column: N is 1.
    pub(super) fn tensors_of(&self, column: usize, precision: Precision) -> Torch<Vec<Tensor>> {
        self.split(&self.parameters.f_narrow(0, column as i64, 1)?, precision)
    }

    fn split(&self, flat: &Tensor, precision: Precision) -> Torch<Vec<Tensor>> {
        let coarse = match precision {
            Precision::Bf16 => Some(flat.f_to_kind(Kind::BFloat16)?),
            Precision::Fp32 | Precision::Tf32 => None,
        };
        let n_hidden = self.layout.len() - 2;
        let tensor = |(i, spec): (usize, &ParameterSpec)| {
            let from = coarse.as_ref().filter(|_| i < n_hidden).unwrap_or(flat);
            let shape: Vec<i64> = [from.size()[0]].into_iter().chain(sizes(&spec.shape)).collect();
            narrow(from, spec)?.f_view(&shape[..])
        };
        self.layout.iter().enumerate().map(tensor).collect()
    }

    /// One flat tensor `[N, n_params]` of gradients tensor by tensor.
    pub(super) fn join(&self, tensors: &[Tensor]) -> Torch<Tensor> {
        let n = self.parameters.size()[0];
        let flat = |tensor: &Tensor| tensor.f_reshape([n, -1])?.f_to_kind(Kind::Float);
        Tensor::f_cat(&tensors.iter().map(flat).collect::<Torch<Vec<_>>>()?, 1)
    }

    /// [`Step::update_ratio`](crate::Step::update_ratio) of every column, `[N]`, f64.
    pub(super) fn update_ratios(&self, gradient: &Tensor, learning_rate: f32) -> Torch<Tensor> {
        let moved = self.norms(gradient)?.f_mul_scalar(f64::from(learning_rate).abs())?;
        let sizes = self.norms(&self.parameters)?;
        // A NaN is not equal to zero either.
        let counted = sizes.f_ne(0.0)?;
        let ratios = moved.f_div(&sizes)?.f_where_self(&counted, &sizes.f_zeros_like()?)?;
        let n = counted.f_sum_dim_intlist(0, false, Kind::Double)?.f_clamp_min(1.0)?;
        ratios.f_sum_dim_intlist(0, false, Kind::Double)?.f_div(&n)
    }

    /// Sums of magnitudes, `[tensors, N]`; f64, because a tensor may have 10⁵ values.
    fn norms(&self, flat: &Tensor) -> Torch<Tensor> {
        let norm = |spec| narrow(flat, spec)?.f_norm_scalaropt_dim_dtype(1.0, [1], false, Kind::Double);
        Tensor::f_stack(&self.layout.iter().map(norm).collect::<Torch<Vec<_>>>()?, 0)
    }

    /// The step that [`Optimizer`] describes, for all columns at once. What has to be allocated is allocated first, so that
    /// nothing can be left half done for want of memory; the gradient is used up.
    pub(super) fn descend(
        &mut self,
        mut gradient: Tensor,
        learning_rate: f32,
        device: super::device::Device,
    ) -> Torch<()> {
        let learning_rate = f64::from(learning_rate);
        match (self.optimizer, &mut self.moments[..]) {
            (Optimizer::Sgd { momentum, nesterov }, [velocity]) => {
                let momentum = f64::from(momentum);
                // addcmul_ takes no scalar here.
                let factor = Tensor::f_full([1], momentum, (Kind::Float, gradient.device()))?;
                let _ = velocity.f_mul_scalar_(momentum)?;
                let _ = velocity.f_add_(&gradient)?;
                if nesterov {
                    let _ = gradient.f_addcmul_(velocity, &factor)?;
                } else {
                    gradient.f_copy_(velocity)?;
                }
                let _ = gradient.f_mul_scalar_(learning_rate)?;
            }
            (Optimizer::AdamW { beta1, beta2, epsilon, weight_decay }, [first, second]) => {
                // Columns need not have made the same number of steps.
                let of_columns: Vec<[f32; 2]> = (self.n_steps.iter())
                    .map(|n_steps| {
                        let [of_first, of_second] =
                            self.optimizer.bias_corrections(n_steps.saturating_add(1));
                        [learning_rate / of_first, of_second.sqrt().recip()].map(|factor| factor as f32)
                    })
                    .collect();
                let factors = Tensor::f_from_slice(of_columns.as_flattened())?.f_view([-1, 2])?;
                let factors = send(&factors, device)?;
                let (rates, roots) = (factors.f_narrow(1, 0, 1)?, factors.f_narrow(1, 1, 1)?);
                let _ = first.f_lerp_(&gradient, 1.0 - f64::from(beta1))?;
                let _ = gradient.f_square_()?;
                let _ = second.f_lerp_(&gradient, 1.0 - f64::from(beta2))?;
                gradient.f_copy_(second)?;
                let _ = gradient.f_sqrt_()?;
                let _ = gradient.f_mul_(&roots)?;
                let _ = gradient.f_add_scalar_(f64::from(epsilon))?;
                // Not times the reciprocal: that of a tiny epsilon is infinite, and a parameter without gradient would be NaN.
                let _ = first.f_div_out(&gradient, &gradient)?;
                let _ = gradient.f_mul_(&rates)?;
                let decay = learning_rate * f64::from(weight_decay);
                let _ = self.parameters.f_mul_scalar_(1.0 - decay)?;
            }
            _ => unreachable!("as many moments as the optimizer names"),
        }
        // What was the gradient is now what the parameters move by.
        let _ = self.parameters.f_sub_(&gradient)?;
        self.n_steps.iter_mut().for_each(|n_steps| *n_steps = n_steps.saturating_add(1));
        Ok(())
    }

    pub(super) fn parameters(&self, network: &Network, column: usize) -> Torch<Parameters> {
        read(&self.parameters, network, column)
    }

    pub(super) fn set_parameters(&mut self, column: usize, parameters: &Parameters) -> Torch<()> {
        write(&self.parameters, column, parameters)
    }

    pub(super) fn optimizer_state(&self, network: &Network, column: usize) -> Torch<OptimizerState> {
        let moments = self.moments.iter().map(|moment| read(moment, network, column));
        Ok(OptimizerState { n_steps: self.n_steps[column], moments: moments.collect::<Torch<_>>()? })
    }

    pub(super) fn set_optimizer_state(&mut self, column: usize, state: &OptimizerState) -> Torch<()> {
        for (moment, values) in self.moments.iter().zip(&state.moments) {
            write(moment, column, values)?;
        }
        self.n_steps[column] = state.n_steps;
        Ok(())
    }
}

/// A tensor's values of all columns, `[N, values]`: a view.
fn narrow(flat: &Tensor, spec: &ParameterSpec) -> Torch<Tensor> {
    flat.f_narrow(1, spec.range.start as i64, spec.range.len() as i64)
}

fn sizes(shape: &[usize]) -> impl Iterator<Item = i64> {
    shape.iter().map(|&size| size as i64)
}

fn read(flat: &Tensor, network: &Network, column: usize) -> Torch<Parameters> {
    let mut parameters = Parameters::zeros(network);
    let values = flat.f_select(0, column as i64)?.f_to_device(tch::Device::Cpu)?;
    let n = parameters.values().len();
    values.f_copy_data(parameters.values_mut(), n)?;
    Ok(parameters)
}

fn write(flat: &Tensor, column: usize, values: &Parameters) -> Torch<()> {
    flat.f_select(0, column as i64)?.f_copy_(&Tensor::f_from_slice(values.values())?)
}
