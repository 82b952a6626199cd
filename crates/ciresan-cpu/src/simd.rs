//! The few vector operations that the kernels need, once for each instruction set, and the macro that compiles one
//! kernel source for all of them.
//!
//! Every operation is `#[inline(always)]`, so that inside a function with the right target features it becomes one
//! instruction. [`kernel!`](kernel) makes those functions and picks one by an [`InstructionSet`], which only
//! detection can make.
#![expect(unsafe_code, reason = "vector intrinsics, raw loads and stores: the callers prove CPU and bounds")]

use crate::instruction_set::{InstructionSet, Kind};

/// Vectors of `f32` of one instruction set.
///
/// # Safety
/// Every method needs a CPU with the instruction set of the implementing type; `load` and `store` also need `LANES`
/// valid values at the pointer, of any alignment.
pub(crate) trait Simd: Copy + 'static {
    /// `LANES` values.
    type V: Copy;
    const LANES: usize;
    /// How many accumulators of this vector fit the registers, beside the operands.
    const ACCUMULATORS: usize;
    /// Vectors of a run whose kernel and sums fit the registers together (`backward.rs`); at most 7.
    const RUN_VECTORS: usize;

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// `a · b + c`, rounded once where the instruction set can.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `sums[i] + *x · w[i]` for each `i`, as [`fma`](Self::fma) has it; one value at `x`.
    #[inline(always)]
    unsafe fn add_products<const N: usize>(x: *const f32, w: &[Self::V; N], sums: &mut [Self::V; N]) {
        // SAFETY: the caller's.
        unsafe { add_each::<Self, N>(x, w, sums) }
    }
    /// Lanewise `if a > b { a } else { b }`, so `b` where either is NaN.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// Lanewise `if a < b { a } else { b }`, so `b` where either is NaN.
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// Lanewise: where `value > best`, `(value, value_tag)`, else `(best, tag)`. Tags are bits, never computed with.
    unsafe fn keep_greater(
        best: Self::V,
        tag: Self::V,
        value: Self::V,
        value_tag: Self::V,
    ) -> (Self::V, Self::V);
}

/// [`Simd::add_products`] of any number, one after the other.
///
/// # Safety
/// The instruction set of `S`, and a value at `x`.
#[inline(always)]
unsafe fn add_each<S: Simd, const N: usize>(x: *const f32, w: &[S::V; N], sums: &mut [S::V; N]) {
    // SAFETY: the caller's.
    unsafe {
        let x = S::splat(*x);
        for (sum, &w) in sums.iter_mut().zip(w) {
            *sum = S::fma(x, w, *sum);
        }
    }
}

/// Plain arrays, which the compiler vectorizes for whatever it targets.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Simd for Portable {
    type V = [f32; 8];
    const LANES: usize = 8;
    const ACCUMULATORS: usize = 6;
    const RUN_VECTORS: usize = 3;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; 8]
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        // SAFETY: the caller has 8 values at `p`; arrays of f32 are read unaligned.
        unsafe { p.cast::<[f32; 8]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        // SAFETY: as for `load`.
        unsafe { p.cast::<[f32; 8]>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Not `mul_add`: without hardware for it that is a slow library call.
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn keep_greater(
        best: Self::V,
        tag: Self::V,
        value: Self::V,
        value_tag: Self::V,
    ) -> (Self::V, Self::V) {
        let kept = std::array::from_fn(|i| if value[i] > best[i] { value[i] } else { best[i] });
        let kept_tag = std::array::from_fn(|i| {
            f32::from_bits(if value[i] > best[i] { value_tag[i].to_bits() } else { tag[i].to_bits() })
        });
        (kept, kept_tag)
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Simd, add_each};
    use std::arch::x86_64::*;

    /// 8 lanes, 16 registers, fused multiply-add.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2;

    /// 16 lanes, 32 registers.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512;

    /// Methods whose body is one expression of intrinsics.
    macro_rules! operations {
        ($($name:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)? = $body:expr;)*) => {$(
            #[inline(always)]
            unsafe fn $name($($arg: $ty),*) $(-> $out)? {
                // SAFETY: the caller has this instruction set, and LANES values behind every pointer (`Simd`).
                unsafe { $body }
            }
        )*};
    }

    /// [`Simd::add_products`] of three. Twelve sums, three weights and the value fill the 16 registers: written as
    /// intrinsics, the compiler loads the values ahead and spills sums in the innermost loop.
    ///
    /// # Safety
    /// A value at `x`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn add_three_products(x: *const f32, w: [__m256; 3], sums: [&mut __m256; 3]) {
        let [s0, s1, s2] = sums;
        // SAFETY: reads the value at `x`, which the caller has, and touches no other memory.
        unsafe {
            std::arch::asm!(
                "vbroadcastss {x}, dword ptr [{at}]",
                "vfmadd231ps {s0}, {x}, {w0}",
                "vfmadd231ps {s1}, {x}, {w1}",
                "vfmadd231ps {s2}, {x}, {w2}",
                at = in(reg) x,
                x = out(ymm_reg) _,
                s0 = inout(ymm_reg) *s0,
                s1 = inout(ymm_reg) *s1,
                s2 = inout(ymm_reg) *s2,
                w0 = in(ymm_reg) w[0],
                w1 = in(ymm_reg) w[1],
                w2 = in(ymm_reg) w[2],
                options(pure, readonly, nostack, preserves_flags),
            );
        }
    }

    impl Simd for Avx2 {
        type V = __m256;
        const LANES: usize = 8;
        const ACCUMULATORS: usize = 12;
        const RUN_VECTORS: usize = 7;

        operations! {
            splat(x: f32) -> __m256 = _mm256_set1_ps(x);
            load(p: *const f32) -> __m256 = _mm256_loadu_ps(p);
            store(p: *mut f32, v: __m256) = _mm256_storeu_ps(p, v);
            add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
            sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
            mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
            div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
            fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
            max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
            min(a: __m256, b: __m256) -> __m256 = _mm256_min_ps(a, b);
        }

        #[inline(always)]
        unsafe fn add_products<const N: usize>(x: *const f32, w: &[__m256; N], sums: &mut [__m256; N]) {
            if let ([w0, w1, w2], [s0, s1, s2]) = (&w[..], &mut sums[..]) {
                // SAFETY: the caller has AVX2 with FMA, and a value at `x`.
                unsafe { add_three_products(x, [*w0, *w1, *w2], [s0, s1, s2]) };
                return;
            }
            // SAFETY: the caller's.
            unsafe { add_each::<Self, N>(x, w, sums) }
        }
        operations! {
            keep_greater(best: __m256, tag: __m256, value: __m256, value_tag: __m256) -> (__m256, __m256) = {
                let greater = _mm256_cmp_ps::<_CMP_GT_OQ>(value, best);
                (_mm256_blendv_ps(best, value, greater), _mm256_blendv_ps(tag, value_tag, greater))
            };
        }
    }

    impl Simd for Avx512 {
        type V = __m512;
        const LANES: usize = 16;
        const ACCUMULATORS: usize = 24;
        const RUN_VECTORS: usize = 7;

        operations! {
            splat(x: f32) -> __m512 = _mm512_set1_ps(x);
            load(p: *const f32) -> __m512 = _mm512_loadu_ps(p);
            store(p: *mut f32, v: __m512) = _mm512_storeu_ps(p, v);
            add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
            sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
            mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
            div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
            fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
            max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
            min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b);
            keep_greater(best: __m512, tag: __m512, value: __m512, value_tag: __m512) -> (__m512, __m512) = {
                let greater = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(value, best);
                (_mm512_mask_mov_ps(best, greater, value), _mm512_mask_mov_ps(tag, greater, value_tag))
            };
        }
    }
}

/// [`Simd::LANES`] and [`Simd::ACCUMULATORS`] of an instruction set.
fn sizes(isa: InstructionSet) -> [usize; 2] {
    match isa.kind() {
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => [Avx512::LANES, Avx512::ACCUMULATORS],
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => [Avx2::LANES, Avx2::ACCUMULATORS],
        Kind::Portable => [Portable::LANES, Portable::ACCUMULATORS],
    }
}

/// Values of a vector.
pub(crate) fn lanes(isa: InstructionSet) -> usize {
    sizes(isa)[0]
}

/// Accumulators that stay in registers.
pub(crate) fn accumulators(isa: InstructionSet) -> usize {
    sizes(isa)[1]
}

/// Declares `fn name(isa, args…)`, which runs the generic `body::<S>(args…)` compiled for `isa`.
///
/// `body` is an `#[inline(always)] unsafe fn` whose only demand on its caller is the instruction set of `S`.
macro_rules! kernel {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $body:ident) => {
        $(#[$doc])*
        $vis fn $name(isa: $crate::instruction_set::InstructionSet, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
            fn avx512($($arg: $ty),*) {
                // SAFETY: the features of this function are the ones that `Avx512` needs.
                unsafe { $body::<$crate::simd::Avx512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $ty),*) {
                // SAFETY: the features of this function are the ones that `Avx2` needs.
                unsafe { $body::<$crate::simd::Avx2>($($arg),*) }
            }
            match isa.kind() {
                // SAFETY: an `InstructionSet` is made by detection alone, so this CPU has the features.
                #[cfg(target_arch = "x86_64")]
                $crate::instruction_set::Kind::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::instruction_set::Kind::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: `Portable` needs no instruction set.
                $crate::instruction_set::Kind::Portable => unsafe { $body::<$crate::simd::Portable>($($arg),*) },
            }
        }
    };
}
pub(crate) use kernel;
