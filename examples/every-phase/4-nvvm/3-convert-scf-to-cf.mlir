// `convert-scf-to-cf`: loops become blocks and branches.
    gpu.func @embed(%arg0: !llvm.ptr<1>, %arg1: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %arg2: !llvm.ptr<1>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
      nvvm.griddepcontrol  launch_dependents
      nvvm.griddepcontrol  wait
      %0 = nvvm.read.ptx.sreg.ctaid.x : i32
      %c2_i32 = arith.constant 2 : i32
      %1 = arith.shli %0, %c2_i32 : i32
      %2 = arith.extui %1 : i32 to i64
      %3 = llvm.getelementptr %arg0[%2] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %4 = llvm.load %3 {alignment = 4 : i64} : !llvm.ptr<1> -> i32
      %c6_i32 = arith.constant 6 : i32
      %5 = arith.shrui %4, %c6_i32 : i32
      %6 = arith.extui %5 : i32 to i64
      %c32768_i64 = arith.constant 32768 : i64
      %7 = arith.muli %6, %c32768_i64 : i64
      %8 = llvm.getelementptr %arg1[%7] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %c63_i32 = arith.constant 63 : i32
      %9 = arith.andi %4, %c63_i32 : i32
      %c7_i32 = arith.constant 7 : i32
      %10 = arith.shli %9, %c7_i32 : i32
      %11 = arith.extui %10 : i32 to i64
      %12 = llvm.getelementptr %8[%11] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %13 = arith.extui %0 : i32 to i64
      %c1024_i64 = arith.constant 1024 : i64
      %14 = arith.muli %13, %c1024_i64 : i64
      %15 = llvm.getelementptr %arg2[%14] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %16 = nvvm.read.ptx.sreg.tid.x : i32
      %c32_i32 = arith.constant 32 : i32
      %c128_i32 = arith.constant 128 : i32
      cf.br ^bb1(%16 : i32)
    ^bb1(%17: i32):  // 2 preds: ^bb0, ^bb2
      %18 = arith.cmpi slt, %17, %c32_i32 : i32
      cf.cond_br %18, ^bb2, ^bb3
    ^bb2:  // pred: ^bb1
      %c7_i32_0 = arith.constant 7 : i32
      %19 = arith.andi %17, %c7_i32_0 : i32
      %c7_i32_1 = arith.constant 7 : i32
      %20 = arith.andi %4, %c7_i32_1 : i32
      %21 = arith.xori %19, %20 : i32
      %c3_i32 = arith.constant 3 : i32
      %22 = arith.shrui %17, %c3_i32 : i32
      %c8192_i32 = arith.constant 8192 : i32
      %23 = arith.muli %22, %c8192_i32 : i32
      %c4_i32 = arith.constant 4 : i32
      %24 = arith.shli %21, %c4_i32 : i32
      %25 = arith.addi %23, %24 : i32
      %26 = arith.extui %25 : i32 to i64
      %27 = llvm.getelementptr %12[%26] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %28 = llvm.load %27 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
      %c0_i32 = arith.constant 0 : i32
      %29 = llvm.extractelement %28[%c0_i32 : i32] : vector<4xi32>
      %c16_i32 = arith.constant 16 : i32
      %30 = arith.shli %29, %c16_i32 : i32
      %31 = llvm.bitcast %30 : i32 to f32
      %c-65536_i32 = arith.constant -65536 : i32
      %32 = arith.andi %29, %c-65536_i32 : i32
      %33 = llvm.bitcast %32 : i32 to f32
      %c1_i32 = arith.constant 1 : i32
      %34 = llvm.extractelement %28[%c1_i32 : i32] : vector<4xi32>
      %c16_i32_2 = arith.constant 16 : i32
      %35 = arith.shli %34, %c16_i32_2 : i32
      %36 = llvm.bitcast %35 : i32 to f32
      %c-65536_i32_3 = arith.constant -65536 : i32
      %37 = arith.andi %34, %c-65536_i32_3 : i32
      %38 = llvm.bitcast %37 : i32 to f32
      %c2_i32_4 = arith.constant 2 : i32
      %39 = llvm.extractelement %28[%c2_i32_4 : i32] : vector<4xi32>
      %c16_i32_5 = arith.constant 16 : i32
      %40 = arith.shli %39, %c16_i32_5 : i32
      %41 = llvm.bitcast %40 : i32 to f32
      %c-65536_i32_6 = arith.constant -65536 : i32
      %42 = arith.andi %39, %c-65536_i32_6 : i32
      %43 = llvm.bitcast %42 : i32 to f32
      %c3_i32_7 = arith.constant 3 : i32
      %44 = llvm.extractelement %28[%c3_i32_7 : i32] : vector<4xi32>
      %c16_i32_8 = arith.constant 16 : i32
      %45 = arith.shli %44, %c16_i32_8 : i32
      %46 = llvm.bitcast %45 : i32 to f32
      %c-65536_i32_9 = arith.constant -65536 : i32
      %47 = arith.andi %44, %c-65536_i32_9 : i32
      %48 = llvm.bitcast %47 : i32 to f32
      %c32_i32_10 = arith.constant 32 : i32
      %49 = arith.muli %17, %c32_i32_10 : i32
      %50 = arith.extui %49 : i32 to i64
      %51 = llvm.getelementptr %15[%50] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %52 = llvm.mlir.poison : vector<4xf32>
      %c0_i32_11 = arith.constant 0 : i32
      %53 = llvm.insertelement %31, %52[%c0_i32_11 : i32] : vector<4xf32>
      %c1_i32_12 = arith.constant 1 : i32
      %54 = llvm.insertelement %33, %53[%c1_i32_12 : i32] : vector<4xf32>
      %c2_i32_13 = arith.constant 2 : i32
      %55 = llvm.insertelement %36, %54[%c2_i32_13 : i32] : vector<4xf32>
      %c3_i32_14 = arith.constant 3 : i32
      %56 = llvm.insertelement %38, %55[%c3_i32_14 : i32] : vector<4xf32>
      llvm.store %56, %51 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      %57 = llvm.mlir.poison : vector<4xf32>
      %c0_i32_15 = arith.constant 0 : i32
      %58 = llvm.insertelement %41, %57[%c0_i32_15 : i32] : vector<4xf32>
      %c1_i32_16 = arith.constant 1 : i32
      %59 = llvm.insertelement %43, %58[%c1_i32_16 : i32] : vector<4xf32>
      %c2_i32_17 = arith.constant 2 : i32
      %60 = llvm.insertelement %46, %59[%c2_i32_17 : i32] : vector<4xf32>
      %c3_i32_18 = arith.constant 3 : i32
      %61 = llvm.insertelement %48, %60[%c3_i32_18 : i32] : vector<4xf32>
      %c16_i64 = arith.constant 16 : i64
      %62 = llvm.getelementptr %51[%c16_i64] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      llvm.store %61, %62 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      %63 = arith.addi %17, %c128_i32 : i32
      cf.br ^bb1(%63 : i32)
    ^bb3:  // pred: ^bb1
      gpu.return
    }
