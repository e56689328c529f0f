// The constraints of llama.sample.
// RUN: llama-opt %s --verify-diagnostics --split-input-file

// (C1)
func.func @result_shape(%l: tensor<8x1x512xf32>) {
  // expected-error @below {{expects the result to be [8], found 'tensor<1xi32>'}}
  %next = llama.sample %l pieces 500 : (tensor<8x1x512xf32>) -> tensor<1xi32>
  return
}

// -----

// (C2)
func.func @too_many_pieces(%l: tensor<8x1x512xf32>) {
  // expected-error @below {{expects pieces to be from 1 to 512, found 513}}
  %next = llama.sample %l pieces 513 : (tensor<8x1x512xf32>) -> tensor<8xi32>
  return
}
