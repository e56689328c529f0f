// The constraints of llama.weight and llama.get_weight.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// weight (C1)
// expected-error @below {{expects its value to have type 'tensor<3xf32>', found 'tensor<2xf32>'}}
llama.weight @w : tensor<3xf32> = dense<[1.0, 2.0]> : tensor<2xf32>

// -----

// get_weight (C1)
func.func @no_such_weight() {
  // expected-error @below {{@w is no llama.weight}}
  %w = llama.get_weight @w : tensor<2xf32>
  return
}

// -----

// get_weight (C2)
// expected-note @below {{the weight is here}}
llama.weight @w : tensor<3xf32>
func.func @other_type() {
  // expected-error @below {{expects the type of the weight, 'tensor<3xf32>'}}
  %w = llama.get_weight @w : tensor<3xbf16>
  return
}

// -----

// weight (C2)
// expected-error @below {{expects pool or a value, not both}}
llama.weight @w : tensor<2xf32> pool <heads = 2, head_dim = 2> = dense<[1.0, 2.0]> : tensor<2xf32>

// -----

// weight (C3)
// expected-error @below {{expects whole heads of 16 rows, found 40 rows}}
llama.weight @w : tensor<40x8xf32> pool <heads = 2, head_dim = 16>

// -----

// #llama.pool (C1)
// expected-error @below {{expects heads and head_dim to be positive, found 0 and 16}}
llama.weight @w : tensor<32x8xf32> pool <heads = 0, head_dim = 16>
