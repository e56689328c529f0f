// A layer becomes five ops, the head one; and pass by pass gives the same text.
// RUN: llama-opt %s --fuse | FileCheck %s
// RUN: llama-opt %s --fuse -o %t.at-once
// RUN: llama-opt %s --llama-fuse-qkv | llama-opt --llama-fuse-swiglu \
// RUN:   | llama-opt --llama-fuse-rms-norm-linear | llama-opt --llama-fuse-rope \
// RUN:   | llama-opt --llama-fuse-residual | llama-opt --llama-check-fused -o %t.by-pass
// RUN: diff %t.at-once %t.by-pass

#rope = #llama.rope<theta = 1.0e+04 : f64>

// CHECK-LABEL: func.func private @layer
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x8xf32>, %[[P:.*]]: tensor<1xi32>, %[[KC:[a-z0-9]*]]: tensor<1x16x1x4xbf16>, %[[VC:[a-z0-9]*]]: tensor<1x16x1x4xbf16>
// CHECK-NEXT: %[[Q:.*]], %[[K:.*]], %[[V:.*]] = llama.fused_qkv %[[X]]{{.*}} gamma {{.*}} cache %[[KC]], %[[VC]] at %[[P]]
// CHECK-NEXT: %[[A:.*]] = llama.attention %[[Q]], %[[K]], %[[V]] at %[[P]]
// CHECK-NEXT: %[[X1:.*]] = llama.fused_linear %[[A]], {{.*}} residual %[[X]]
// CHECK-NEXT: %[[M:.*]] = llama.fused_gate_up %[[X1]], {{.*}} gamma
// CHECK-NEXT: %[[X2:.*]] = llama.fused_linear %[[M]], {{.*}} residual %[[X1]]
// CHECK-NEXT: return %[[X2]], %[[K]], %[[V]]
func.func private @layer(
    %x: tensor<1x2x8xf32>, %p: tensor<1xi32>,
    %kc: tensor<1x16x1x4xbf16>, %vc: tensor<1x16x1x4xbf16>,
    %g1: tensor<8xbf16>, %wq: tensor<8x8xbf16>, %wk: tensor<4x8xbf16>,
    %wv: tensor<4x8xbf16>, %wo: tensor<8x8xbf16>, %g2: tensor<8xbf16>,
    %wg: tensor<12x8xbf16>, %wu: tensor<12x8xbf16>, %wd: tensor<8x12xbf16>)
    -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>) {
  %n1 = llama.rms_norm %x, %g1 eps 1.0e-05 : tensor<1x2x8xf32>, tensor<8xbf16>
  %q = llama.linear %n1, %wq : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  %k = llama.linear %n1, %wk : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
  %v = llama.linear %n1, %wv : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #rope} : tensor<1x2x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #rope} : tensor<1x2x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
     : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
  %a = llama.attention %qr, %kc1, %vc1 at %p
     : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1xi32>
  %o = llama.linear %a, %wo : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
  %x1 = llama.add %x, %o : tensor<1x2x8xf32>
  %n2 = llama.rms_norm %x1, %g2 eps 1.0e-05 : tensor<1x2x8xf32>, tensor<8xbf16>
  %g = llama.linear %n2, %wg : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %u = llama.linear %n2, %wu : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
  %s = llama.silu %g : tensor<1x2x12xf32>
  %m = llama.mul %s, %u : tensor<1x2x12xf32>
  %d = llama.linear %m, %wd : (tensor<1x2x12xf32>, tensor<8x12xbf16>) -> tensor<1x2x8xf32>
  %x2 = llama.add %x1, %d : tensor<1x2x8xf32>
  return %x2, %kc1, %vc1 : tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>
}

// CHECK-LABEL: func.func @head
// CHECK-NEXT: %[[L:.*]] = llama.lm_head %{{.*}}, %{{.*}} gamma
// CHECK-NEXT: llama.sample %[[L]]
func.func @head(%x: tensor<1x1x8xf32>, %g: tensor<8xbf16>, %w: tensor<32x8xbf16>)
    -> tensor<1xi32> {
  %n = llama.rms_norm %x, %g eps 1.0e-05 : tensor<1x1x8xf32>, tensor<8xbf16>
  %l = llama.lm_head %n, %w : (tensor<1x1x8xf32>, tensor<32x8xbf16>) -> tensor<1x1x32xf32>
  %t = llama.sample %l pieces 32 : (tensor<1x1x32xf32>) -> tensor<1xi32>
  return %t : tensor<1xi32>
}
