// `convert-arith-to-llvm`: arith becomes llvm.
    llvm.func @embed(%arg0: !llvm.ptr<1>, %arg1: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %arg2: !llvm.ptr<1>) attributes {gpu.kernel, gpu.known_block_size = array<i32: 128, 1, 1>, nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
      %0 = llvm.mlir.poison : vector<4xf32>
      %1 = llvm.mlir.constant(1 : i32) : i32
      %2 = llvm.mlir.constant(-65536 : i32) : i32
      %3 = llvm.mlir.constant(16 : i32) : i32
      %4 = llvm.mlir.constant(0 : i32) : i32
      %5 = llvm.mlir.constant(4 : i32) : i32
      %6 = llvm.mlir.constant(8192 : i32) : i32
      %7 = llvm.mlir.constant(3 : i32) : i32
      %8 = llvm.mlir.constant(128 : i32) : i32
      %9 = llvm.mlir.constant(32 : i32) : i32
      %10 = llvm.mlir.constant(1024 : i64) : i64
      %11 = llvm.mlir.constant(7 : i32) : i32
      %12 = llvm.mlir.constant(63 : i32) : i32
      %13 = llvm.mlir.constant(32768 : i64) : i64
      %14 = llvm.mlir.constant(6 : i32) : i32
      %15 = llvm.mlir.constant(2 : i32) : i32
      nvvm.griddepcontrol  launch_dependents
      nvvm.griddepcontrol  wait
      %16 = nvvm.read.ptx.sreg.ctaid.x : i32
      %17 = llvm.shl %16, %15 : i32
      %18 = llvm.zext %17 : i32 to i64
      %19 = llvm.getelementptr %arg0[%18] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %20 = llvm.load %19 {alignment = 4 : i64} : !llvm.ptr<1> -> i32
      %21 = llvm.lshr %20, %14 : i32
      %22 = llvm.zext %21 : i32 to i64
      %23 = llvm.mul %22, %13 : i64
      %24 = llvm.getelementptr %arg1[%23] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %25 = llvm.and %20, %12 : i32
      %26 = llvm.shl %25, %11 : i32
      %27 = llvm.zext %26 : i32 to i64
      %28 = llvm.getelementptr %24[%27] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %29 = llvm.zext %16 : i32 to i64
      %30 = llvm.mul %29, %10 : i64
      %31 = llvm.getelementptr %arg2[%30] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %32 = nvvm.read.ptx.sreg.tid.x : i32
      llvm.br ^bb1(%32 : i32)
    ^bb1(%33: i32):  // 2 preds: ^bb0, ^bb2
      %34 = llvm.icmp "slt" %33, %9 : i32
      llvm.cond_br %34, ^bb2, ^bb3
    ^bb2:  // pred: ^bb1
      %35 = llvm.and %33, %11 : i32
      %36 = llvm.and %20, %11 : i32
      %37 = llvm.xor %35, %36 : i32
      %38 = llvm.lshr %33, %7 : i32
      %39 = llvm.mul %38, %6 : i32
      %40 = llvm.shl %37, %5 : i32
      %41 = llvm.add %39, %40 : i32
      %42 = llvm.zext %41 : i32 to i64
      %43 = llvm.getelementptr %28[%42] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %44 = llvm.load %43 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
      %45 = llvm.extractelement %44[%4 : i32] : vector<4xi32>
      %46 = llvm.shl %45, %3 : i32
      %47 = llvm.bitcast %46 : i32 to f32
      %48 = llvm.and %45, %2 : i32
      %49 = llvm.bitcast %48 : i32 to f32
      %50 = llvm.extractelement %44[%1 : i32] : vector<4xi32>
      %51 = llvm.shl %50, %3 : i32
      %52 = llvm.bitcast %51 : i32 to f32
      %53 = llvm.and %50, %2 : i32
      %54 = llvm.bitcast %53 : i32 to f32
      %55 = llvm.extractelement %44[%15 : i32] : vector<4xi32>
      %56 = llvm.shl %55, %3 : i32
      %57 = llvm.bitcast %56 : i32 to f32
      %58 = llvm.and %55, %2 : i32
      %59 = llvm.bitcast %58 : i32 to f32
      %60 = llvm.extractelement %44[%7 : i32] : vector<4xi32>
      %61 = llvm.shl %60, %3 : i32
      %62 = llvm.bitcast %61 : i32 to f32
      %63 = llvm.and %60, %2 : i32
      %64 = llvm.bitcast %63 : i32 to f32
      %65 = llvm.mul %33, %9 : i32
      %66 = llvm.zext %65 : i32 to i64
      %67 = llvm.getelementptr %31[%66] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
      %68 = llvm.insertelement %47, %0[%4 : i32] : vector<4xf32>
      %69 = llvm.insertelement %49, %68[%1 : i32] : vector<4xf32>
      %70 = llvm.insertelement %52, %69[%15 : i32] : vector<4xf32>
      %71 = llvm.insertelement %54, %70[%7 : i32] : vector<4xf32>
      llvm.store %71, %67 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      %72 = llvm.insertelement %57, %0[%4 : i32] : vector<4xf32>
      %73 = llvm.insertelement %59, %72[%1 : i32] : vector<4xf32>
      %74 = llvm.insertelement %62, %73[%15 : i32] : vector<4xf32>
      %75 = llvm.insertelement %64, %74[%7 : i32] : vector<4xf32>
      %76 = llvm.getelementptr %67[16] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
      llvm.store %75, %76 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
      %77 = llvm.add %33, %8 : i32
      llvm.br ^bb1(%77 : i32)
    ^bb3:  // pred: ^bb1
      llvm.return
    }
