// `convert-gpu-to-nvvm`: gpu.func becomes llvm.func; its block size an attribute.
    llvm.func @embed(%arg0: !llvm.ptr<1>, %arg1: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %arg2: !llvm.ptr<1>) attributes {gpu.kernel, gpu.known_block_size = array<i32: 128, 1, 1>, nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
      %0 = llvm.mlir.poison : vector<4xf32>
      %c1_i32 = arith.constant 1 : i32
      %c-65536_i32 = arith.constant -65536 : i32
      %c16_i32 = arith.constant 16 : i32
      %c0_i32 = arith.constant 0 : i32
      %c4_i32 = arith.constant 4 : i32
      %c8192_i32 = arith.constant 8192 : i32
      %c3_i32 = arith.constant 3 : i32
      %c128_i32 = arith.constant 128 : i32
      %c32_i32 = arith.constant 32 : i32
      %c1024_i64 = arith.constant 1024 : i64
      %c7_i32 = arith.constant 7 : i32
      %c63_i32 = arith.constant 63 : i32
      %c32768_i64 = arith.constant 32768 : i64
      %c6_i32 = arith.constant 6 : i32
      %c2_i32 = arith.constant 2 : i32
      nvvm.griddepcontrol  launch_dependents
      nvvm.griddepcontrol  wait
      %1 = nvvm.read.ptx.sreg.ctaid.x : i32
      %2 = arith.shli %1, %c2_i32 : i32
      %3 = arith.extui %2 : i32 to i64
      %4 = llvm.getelementptr %arg0[%3] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %5 = llvm.load %4 {alignment = 4 : i64} : !llvm.ptr<1> -> i32
      %6 = arith.shrui %5, %c6_i32 : i32
      %7 = arith.extui %6 : i32 to i64
      %8 = arith.muli %7, %c32768_i64 : i64
      %9 = llvm.getelementptr %arg1[%8] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %10 = arith.andi %5, %c63_i32 : i32
      %11 = arith.shli %10, %c7_i32 : i32
      %12 = arith.extui %11 : i32 to i64
      %13 = llvm.getelementptr %9[%12] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %14 = arith.extui %1 : i32 to i64
      %15 = arith.muli %14, %c1024_i64 : i64
      %16 = llvm.getelementptr %arg2[%15] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %17 = nvvm.read.ptx.sreg.tid.x : i32
      cf.br ^bb1(%17 : i32)
    ^bb1(%18: i32):  // 2 preds: ^bb0, ^bb2
      %19 = arith.cmpi slt, %18, %c32_i32 : i32
      cf.cond_br %19, ^bb2, ^bb3
    ^bb2:  // pred: ^bb1
      %20 = arith.andi %18, %c7_i32 : i32
      %21 = arith.andi %5, %c7_i32 : i32
      %22 = arith.xori %20, %21 : i32
      %23 = arith.shrui %18, %c3_i32 : i32
      %24 = arith.muli %23, %c8192_i32 : i32
      %25 = arith.shli %22, %c4_i32 : i32
      %26 = arith.addi %24, %25 : i32
      %27 = arith.extui %26 : i32 to i64
      %28 = llvm.getelementptr %13[%27] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %29 = llvm.load %28 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
      %30 = llvm.extractelement %29[%c0_i32 : i32] : vector<4xi32>
      %31 = arith.shli %30, %c16_i32 : i32
      %32 = llvm.bitcast %31 : i32 to f32
      %33 = arith.andi %30, %c-65536_i32 : i32
      %34 = llvm.bitcast %33 : i32 to f32
      %35 = llvm.extractelement %29[%c1_i32 : i32] : vector<4xi32>
      %36 = arith.shli %35, %c16_i32 : i32
      %37 = llvm.bitcast %36 : i32 to f32
      %38 = arith.andi %35, %c-65536_i32 : i32
      %39 = llvm.bitcast %38 : i32 to f32
      %40 = llvm.extractelement %29[%c2_i32 : i32] : vector<4xi32>
      %41 = arith.shli %40, %c16_i32 : i32
      %42 = llvm.bitcast %41 : i32 to f32
      %43 = arith.andi %40, %c-65536_i32 : i32
      %44 = llvm.bitcast %43 : i32 to f32
      %45 = llvm.extractelement %29[%c3_i32 : i32] : vector<4xi32>
      %46 = arith.shli %45, %c16_i32 : i32
      %47 = llvm.bitcast %46 : i32 to f32
      %48 = arith.andi %45, %c-65536_i32 : i32
      %49 = llvm.bitcast %48 : i32 to f32
      %50 = arith.muli %18, %c32_i32 : i32
      %51 = arith.extui %50 : i32 to i64
      %52 = llvm.getelementptr %16[%51] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %53 = llvm.insertelement %32, %0[%c0_i32 : i32] : vector<4xf32>
      %54 = llvm.insertelement %34, %53[%c1_i32 : i32] : vector<4xf32>
      %55 = llvm.insertelement %37, %54[%c2_i32 : i32] : vector<4xf32>
      %56 = llvm.insertelement %39, %55[%c3_i32 : i32] : vector<4xf32>
      llvm.store %56, %52 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      %57 = llvm.insertelement %42, %0[%c0_i32 : i32] : vector<4xf32>
      %58 = llvm.insertelement %44, %57[%c1_i32 : i32] : vector<4xf32>
      %59 = llvm.insertelement %47, %58[%c2_i32 : i32] : vector<4xf32>
      %60 = llvm.insertelement %49, %59[%c3_i32 : i32] : vector<4xf32>
      %61 = llvm.getelementptr %52[16] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
      llvm.store %60, %61 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      %62 = arith.addi %18, %c128_i32 : i32
      cf.br ^bb1(%62 : i32)
    ^bb3:  // pred: ^bb1
      llvm.return
    }
