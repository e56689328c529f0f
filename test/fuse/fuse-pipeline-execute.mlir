// A whole model by value: three tokens in one prefill, padded to four, and one
// more by decode. Unfused, fused and fed token by token it gives the same.
// RUN: %add-main %s f32 > %t.mlir
// RUN: llama-opt %t.mlir --fuse -o %t.fused.mlir
// RUN: FileCheck %s --input-file=%t.fused.mlir
// RUN: cat %t.mlir | %execute > %t.before
// RUN: cat %t.fused.mlir | %execute > %t.after
// RUN: %compare --equal 1 2 %t.before %t.after
// In bf16 too, where the norm's other rounding shows: to 3 percent.
// RUN: %add-main %s bf16 > %t.bf16.mlir
// RUN: llama-opt %t.bf16.mlir --fuse | %execute > %t.bf16
// RUN: %compare --bound 0.03 %t.before %t.bf16

// CHECK-COUNT-2: llama.fused_qkv {{.*}} gamma {{.*}} cache
#rope = #llama.rope<theta = 1.0e+02 : f64>

func.func private @prefill_layer(
    %x: tensor<1x4x8xf32>, %p: tensor<1xi32>, %kc: tensor<1x16x1x4xSTORAGE>, %vc: tensor<1x16x1x4xSTORAGE>,
    %g1: tensor<8xSTORAGE>, %wq: tensor<8x8xSTORAGE>, %wk: tensor<4x8xSTORAGE>,
    %wv: tensor<4x8xSTORAGE>, %wo: tensor<8x8xSTORAGE>, %g2: tensor<8xSTORAGE>,
    %wg: tensor<12x8xSTORAGE>, %wu: tensor<12x8xSTORAGE>, %wd: tensor<8x12xSTORAGE>)
    -> (tensor<1x4x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>) {
  %n1 = llama.rms_norm %x, %g1 eps 1.0e-05 : tensor<1x4x8xf32>, tensor<8xSTORAGE>
  %q = llama.linear %n1, %wq : (tensor<1x4x8xf32>, tensor<8x8xSTORAGE>) -> tensor<1x4x8xf32>
  %k = llama.linear %n1, %wk : (tensor<1x4x8xf32>, tensor<4x8xSTORAGE>) -> tensor<1x4x4xf32>
  %v = llama.linear %n1, %wv : (tensor<1x4x8xf32>, tensor<4x8xSTORAGE>) -> tensor<1x4x4xf32>
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #rope} : tensor<1x4x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #rope} : tensor<1x4x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p : tensor<1x16x1x4xSTORAGE>, tensor<1x4x4xf32>, tensor<1xi32>
  %a = llama.attention %qr, %kc1, %vc1 at %p : tensor<1x4x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1xi32>
  %o = llama.linear %a, %wo : (tensor<1x4x8xf32>, tensor<8x8xSTORAGE>) -> tensor<1x4x8xf32>
  %x1 = llama.add %x, %o : tensor<1x4x8xf32>
  %n2 = llama.rms_norm %x1, %g2 eps 1.0e-05 : tensor<1x4x8xf32>, tensor<8xSTORAGE>
  %g = llama.linear %n2, %wg : (tensor<1x4x8xf32>, tensor<12x8xSTORAGE>) -> tensor<1x4x12xf32>
  %u = llama.linear %n2, %wu : (tensor<1x4x8xf32>, tensor<12x8xSTORAGE>) -> tensor<1x4x12xf32>
  %s = llama.silu %g : tensor<1x4x12xf32>
  %m = llama.mul %s, %u : tensor<1x4x12xf32>
  %d = llama.linear %m, %wd : (tensor<1x4x12xf32>, tensor<8x12xSTORAGE>) -> tensor<1x4x8xf32>
  %x2 = llama.add %x1, %d : tensor<1x4x8xf32>
  return %x2, %kc1, %vc1 : tensor<1x4x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>
}

func.func private @decode_layer(
    %x: tensor<1x1x8xf32>, %p: tensor<1xi32>, %kc: tensor<1x16x1x4xSTORAGE>, %vc: tensor<1x16x1x4xSTORAGE>,
    %g1: tensor<8xSTORAGE>, %wq: tensor<8x8xSTORAGE>, %wk: tensor<4x8xSTORAGE>,
    %wv: tensor<4x8xSTORAGE>, %wo: tensor<8x8xSTORAGE>, %g2: tensor<8xSTORAGE>,
    %wg: tensor<12x8xSTORAGE>, %wu: tensor<12x8xSTORAGE>, %wd: tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>) {
  %n1 = llama.rms_norm %x, %g1 eps 1.0e-05 : tensor<1x1x8xf32>, tensor<8xSTORAGE>
  %q = llama.linear %n1, %wq : (tensor<1x1x8xf32>, tensor<8x8xSTORAGE>) -> tensor<1x1x8xf32>
  %k = llama.linear %n1, %wk : (tensor<1x1x8xf32>, tensor<4x8xSTORAGE>) -> tensor<1x1x4xf32>
  %v = llama.linear %n1, %wv : (tensor<1x1x8xf32>, tensor<4x8xSTORAGE>) -> tensor<1x1x4xf32>
  %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #rope} : tensor<1x1x8xf32>, tensor<1xi32>
  %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #rope} : tensor<1x1x4xf32>, tensor<1xi32>
  %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p : tensor<1x16x1x4xSTORAGE>, tensor<1x1x4xf32>, tensor<1xi32>
  %a = llama.attention %qr, %kc1, %vc1 at %p : tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1xi32>
  %o = llama.linear %a, %wo : (tensor<1x1x8xf32>, tensor<8x8xSTORAGE>) -> tensor<1x1x8xf32>
  %x1 = llama.add %x, %o : tensor<1x1x8xf32>
  %n2 = llama.rms_norm %x1, %g2 eps 1.0e-05 : tensor<1x1x8xf32>, tensor<8xSTORAGE>
  %g = llama.linear %n2, %wg : (tensor<1x1x8xf32>, tensor<12x8xSTORAGE>) -> tensor<1x1x12xf32>
  %u = llama.linear %n2, %wu : (tensor<1x1x8xf32>, tensor<12x8xSTORAGE>) -> tensor<1x1x12xf32>
  %s = llama.silu %g : tensor<1x1x12xf32>
  %m = llama.mul %s, %u : tensor<1x1x12xf32>
  %d = llama.linear %m, %wd : (tensor<1x1x12xf32>, tensor<8x12xSTORAGE>) -> tensor<1x1x8xf32>
  %x2 = llama.add %x1, %d : tensor<1x1x8xf32>
  return %x2, %kc1, %vc1 : tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>
}

// The logits of the third token in the prefill, of the fourth by decode, of all
// four by decode alone, and the token that the last ones choose.
func.func private @test(
    %table: tensor<32x8xSTORAGE>, %gf: tensor<8xSTORAGE>, %head: tensor<32x8xSTORAGE>,
    %g1: tensor<8xSTORAGE>, %wq: tensor<8x8xSTORAGE>, %wk: tensor<4x8xSTORAGE>,
    %wv: tensor<4x8xSTORAGE>, %wo: tensor<8x8xSTORAGE>, %g2: tensor<8xSTORAGE>,
    %wg: tensor<12x8xSTORAGE>, %wu: tensor<12x8xSTORAGE>, %wd: tensor<8x12xSTORAGE>)
    -> (tensor<1x4x32xf32>, tensor<1x1x32xf32>, tensor<1x1x32xf32>, tensor<1xi32>) {
  %p0 = arith.constant dense<0> : tensor<1xi32>
  %p3 = arith.constant dense<3> : tensor<1xi32>
  %empty = arith.constant dense<0.0> : tensor<1x16x1x4xSTORAGE>
  %at = arith.constant dense<[[5, 9, 30, 0]]> : tensor<1x4xi32>
  %ae = llama.embed %at, %table : (tensor<1x4xi32>, tensor<32x8xSTORAGE>) -> tensor<1x4x8xf32>
  %ax, %ak, %av = func.call @prefill_layer(%ae, %p0, %empty, %empty, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x4x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x4x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %bx, %bk, %bv = func.call @prefill_layer(%ax, %p0, %empty, %empty, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x4x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x4x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %bn = llama.rms_norm %bx, %gf eps 1.0e-05 : tensor<1x4x8xf32>, tensor<8xSTORAGE>
  %bl = llama.lm_head %bn, %head : (tensor<1x4x8xf32>, tensor<32x8xSTORAGE>) -> tensor<1x4x32xf32>
  %ct = arith.constant dense<[[17]]> : tensor<1x1xi32>
  %ce = llama.embed %ct, %table : (tensor<1x1xi32>, tensor<32x8xSTORAGE>) -> tensor<1x1x8xf32>
  %cx, %ck, %cv = func.call @decode_layer(%ce, %p3, %ak, %av, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %dx, %dk, %dv = func.call @decode_layer(%cx, %p3, %bk, %bv, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %dn = llama.rms_norm %dx, %gf eps 1.0e-05 : tensor<1x1x8xf32>, tensor<8xSTORAGE>
  %dl = llama.lm_head %dn, %head : (tensor<1x1x8xf32>, tensor<32x8xSTORAGE>) -> tensor<1x1x32xf32>
  %e0p = arith.constant dense<0> : tensor<1xi32>
  %e0t = arith.constant dense<[[5]]> : tensor<1x1xi32>
  %e0e = llama.embed %e0t, %table : (tensor<1x1xi32>, tensor<32x8xSTORAGE>) -> tensor<1x1x8xf32>
  %e0x, %e0k, %e0v = func.call @decode_layer(%e0e, %e0p, %empty, %empty, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %f0x, %f0k, %f0v = func.call @decode_layer(%e0x, %e0p, %empty, %empty, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %e1p = arith.constant dense<1> : tensor<1xi32>
  %e1t = arith.constant dense<[[9]]> : tensor<1x1xi32>
  %e1e = llama.embed %e1t, %table : (tensor<1x1xi32>, tensor<32x8xSTORAGE>) -> tensor<1x1x8xf32>
  %e1x, %e1k, %e1v = func.call @decode_layer(%e1e, %e1p, %e0k, %e0v, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %f1x, %f1k, %f1v = func.call @decode_layer(%e1x, %e1p, %f0k, %f0v, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %e2p = arith.constant dense<2> : tensor<1xi32>
  %e2t = arith.constant dense<[[30]]> : tensor<1x1xi32>
  %e2e = llama.embed %e2t, %table : (tensor<1x1xi32>, tensor<32x8xSTORAGE>) -> tensor<1x1x8xf32>
  %e2x, %e2k, %e2v = func.call @decode_layer(%e2e, %e2p, %e1k, %e1v, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %f2x, %f2k, %f2v = func.call @decode_layer(%e2x, %e2p, %f1k, %f1v, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %e3p = arith.constant dense<3> : tensor<1xi32>
  %e3t = arith.constant dense<[[17]]> : tensor<1x1xi32>
  %e3e = llama.embed %e3t, %table : (tensor<1x1xi32>, tensor<32x8xSTORAGE>) -> tensor<1x1x8xf32>
  %e3x, %e3k, %e3v = func.call @decode_layer(%e3e, %e3p, %e2k, %e2v, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %f3x, %f3k, %f3v = func.call @decode_layer(%e3x, %e3p, %f2k, %f2v, %g1, %wq, %wk, %wv, %wo, %g2, %wg, %wu, %wd)
    : (tensor<1x1x8xf32>, tensor<1xi32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>,
     tensor<8xSTORAGE>, tensor<8x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<4x8xSTORAGE>, tensor<8x8xSTORAGE>,
     tensor<8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<12x8xSTORAGE>, tensor<8x12xSTORAGE>)
    -> (tensor<1x1x8xf32>, tensor<1x16x1x4xSTORAGE>, tensor<1x16x1x4xSTORAGE>)
  %gn = llama.rms_norm %f3x, %gf eps 1.0e-05 : tensor<1x1x8xf32>, tensor<8xSTORAGE>
  %gl = llama.lm_head %gn, %head : (tensor<1x1x8xf32>, tensor<32x8xSTORAGE>) -> tensor<1x1x32xf32>
  %next = llama.sample %gl pieces 32 : (tensor<1x1x32xf32>) -> tensor<1xi32>
  return %bl, %dl, %gl, %next
    : tensor<1x4x32xf32>, tensor<1x1x32xf32>, tensor<1x1x32xf32>, tensor<1xi32>
}
