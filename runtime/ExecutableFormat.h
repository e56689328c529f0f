/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The contract between compiler/emit, which writes an executable, and the
 * runtime, which reads it. Plain C; little endian; every struct has a fixed
 * size and no padding. A change here is a change of LLAMAC_FORMAT_VERSION.
 *
 * An executable is the prebuilt runtime ELF plus these non-allocated PROGBITS
 * sections, each page-aligned in the file (so that they can be mapped and
 * survive `strip`; bytes appended behind an ELF do not):
 *
 *   .llamac.plan       LlamacPlanHeader, then the arrays it points to
 *   .llamac.ptx        the kernels as PTX text, NUL-terminated
 *   .llamac.kernels.ptx  those of runtime/kernels, the same way
 *   .llamac.cubin      .llamac.ptx assembled for the GPU row's chip; absent where
 *                      llamac found no assembler
 *   .llamac.kernels.cubin  .llamac.kernels.ptx likewise; absent with the other
 *   .llamac.tokenizer  LlamacTokenizerHeader and what it points to, or the bytes of
 *                      a sentencepiece tokenizer.model as in the checkpoint;
 *                      absent without one
 *   .llamac.passport   JSON text for --info
 *   .llamac.tensors    LlamacTensorsHeader: which tensor lies where in the weights
 *   .llamac.selftest   LlamacSelftestHeader: what --selftest compares with; absent
 *                      with --no-selftest and --no-weights
 *   .llamac.weights    the packed weights; absent with --no-weights and
 *                      --split-weights
 *
 * With --split-weights they are in a file of their own, OUT.weights: a page
 * that starts with LlamacWeightsHeader, then the same bytes.
 *
 * Rejected: a trailer behind the ELF (strip drops it), one JSON plan (parsed
 * at every start, and numbers as text), FlatBuffers (a generator for one
 * struct).
 */
#ifndef LLAMAC_RUNTIME_EXECUTABLEFORMAT_H
#define LLAMAC_RUNTIME_EXECUTABLEFORMAT_H

#include <stdint.h>

#define LLAMAC_PLAN_MAGIC 0x4e414c50434d4c4cull /* "LLMCPLAN" */
#define LLAMAC_FORMAT_VERSION 4u
#define LLAMAC_SECTION_PLAN ".llamac.plan"
#define LLAMAC_SECTION_PTX ".llamac.ptx"
#define LLAMAC_SECTION_KERNELS_PTX ".llamac.kernels.ptx"
#define LLAMAC_SECTION_CUBIN ".llamac.cubin"
#define LLAMAC_SECTION_KERNELS_CUBIN ".llamac.kernels.cubin"
#define LLAMAC_SECTION_TOKENIZER ".llamac.tokenizer"
#define LLAMAC_SECTION_PASSPORT ".llamac.passport"
#define LLAMAC_SECTION_TENSORS ".llamac.tensors"
#define LLAMAC_SECTION_SELFTEST ".llamac.selftest"
#define LLAMAC_SECTION_WEIGHTS ".llamac.weights"

/* Tokens per KV page, and the KV length that one block of a split decode
 * attention reads (256 = 4 pages). Fixed: they decide the order of sums. */
#define LLAMAC_PAGE_TOKENS 64u
#define LLAMAC_SPLIT_TOKENS 256u

/* Weights are hashed in pieces of this many bytes, so that several threads can:
 * their hash is XXH3 of the array of the pieces' XXH3 (little endian). */
#define LLAMAC_WEIGHT_PIECE_BYTES (16u << 20)

/* The chat templates that runtime/ChatTemplate.h renders. */
enum LlamacChatTemplate {
  LLAMAC_CHAT_NONE = 0,    /* the checkpoint has none */
  LLAMAC_CHAT_UNKNOWN = 1, /* it has one, but none of these */
  LLAMAC_CHAT_LLAMA2 = 2,
  LLAMAC_CHAT_LLAMA3 = 3,
  LLAMAC_CHAT_LLAMA31 = 4, /* 3.1 to 3.3 */
  LLAMAC_CHAT_TINYLLAMA = 5,
  LLAMAC_CHAT_COUNT = 6
};

enum LlamacDtype { LLAMAC_BF16 = 0, LLAMAC_F16 = 1, LLAMAC_F32 = 2 };

/* A device buffer that a launch argument points into. */
enum LlamacBuffer {
  LLAMAC_BUFFER_WEIGHTS = 0,   /* section .llamac.weights, read only */
  LLAMAC_BUFFER_WORKSPACE = 1, /* workspace_bytes, zero-filled at start */
  LLAMAC_BUFFER_KV_POOL = 2,   /* pages * page_bytes, zero-filled at start */
  LLAMAC_BUFFER_ROPE = 3,      /* float [row][head_dim/2][2]: cos, sin. A row for
                                  each position, or with LLAMAC_DYNAMIC for each
                                  row of the step; empty with LLAMAC_ALIBI */
  LLAMAC_BUFFER_COUNT = 4
};

/* A value that changes from step to step; the runtime supplies it. */
enum LlamacVariable {
  LLAMAC_VARIABLE_ONE = 0,        /* 1: for constants */
  LLAMAC_VARIABLE_TOKENS = 1,     /* rows in this step */
  LLAMAC_VARIABLE_HEAD_START = 2, /* first row that @head works on */
  LLAMAC_VARIABLE_HEAD_ROWS = 3,  /* rows that @head works on, <= head_rows_max */
  LLAMAC_VARIABLE_SPLITS = 4,     /* ceil((largest position in this step + 1) / LLAMAC_SPLIT_TOKENS) */
  LLAMAC_VARIABLE_SEVERAL_SPLITS = 5, /* 1 where SPLITS is above 1, else 0: nothing is to be merged */
  LLAMAC_VARIABLE_COUNT = 6
};

/* ceil(variable * multiplier / divisor). divisor is never 0. */
struct LlamacExpression {
  uint32_t variable; /* LlamacVariable */
  uint32_t multiplier;
  uint32_t divisor;
  uint32_t reserved; /* 0 */
};

enum LlamacArgumentKind {
  LLAMAC_ARGUMENT_POINTER = 0, /* 8 bytes: address of `buffer` + value */
  LLAMAC_ARGUMENT_I32 = 1      /* 4 bytes: `expression` + value */
};

struct LlamacArgument {
  uint32_t kind;   /* LlamacArgumentKind */
  uint32_t buffer; /* LlamacBuffer, for POINTER */
  uint64_t value;  /* byte offset (POINTER); addend (I32; with multiplier 0: the constant) */
  struct LlamacExpression expression; /* I32 */
};

struct LlamacLaunch {
  uint32_t kernel;         /* index into the kernels */
  uint32_t first_argument; /* index into the arguments */
  uint32_t argument_count;
  uint32_t cooperative;                /* 0 or 1 */
  uint32_t programmatic;               /* 1: may start before the launch before it ends; it waits itself */
  struct LlamacExpression grid[3];     /* x y z; where one comes out as 0, the launch is not made */
  uint32_t block[3];                   /* threads */
  uint32_t dynamic_shared_bytes;
  int32_t layer;                       /* of the model, from 0; -1: part of none */
};

struct LlamacKernel {
  uint32_t name_offset; /* into the strings: NUL-terminated PTX entry name */
  uint32_t reserved;    /* 0 */
};

/* The host functions of the tiled module, as ranges of launches in order. */
enum LlamacFunction {
  LLAMAC_FUNCTION_PREFILL = 0, /* embed and all layers; tokens of one sequence */
  LLAMAC_FUNCTION_DECODE = 1,  /* embed and all layers; one token per sequence */
  LLAMAC_FUNCTION_HEAD = 2,    /* final norm, logits, greedy choice of rows
                                  [head_start, head_start+head_rows) */
  LLAMAC_FUNCTION_COUNT = 3
};

struct LlamacRange {
  uint32_t first;
  uint32_t count;
};

/* Where the packed weights are. */
enum LlamacWeightsPlace {
  LLAMAC_WEIGHTS_NONE = 0,   /* --no-weights */
  LLAMAC_WEIGHTS_INSIDE = 1, /* section .llamac.weights */
  LLAMAC_WEIGHTS_BESIDE = 2  /* --split-weights: OUT.weights */
};

/* Where the other sections must be, so that cut or altered ones are found.
 * An absent section has size 0 and hash 0. hash: XXH3 64 bits, seed 0. */
struct LlamacSectionCheck {
  uint64_t size;
  uint64_t hash;
};

/* How tokens are chosen where the command line does not say: what the
 * checkpoint's generation_config.json says, else the project's defaults. */
struct LlamacSampling {
  double temperature; /* 0: greedy */
  double top_p;       /* 1: off */
  double min_p;       /* 0: off */
  double repeat_penalty;    /* 1: off */
  double presence_penalty;  /* 0: off */
  double frequency_penalty; /* 0: off */
  uint32_t top_k;           /* 0: off */
  uint32_t reserved;        /* 0 */
};

enum LlamacPositionScheme {
  LLAMAC_ROTARY = 0,
  LLAMAC_ALIBI = 1 /* linear biases on the scores, no rotation */
};

enum LlamacRopeScaling {
  LLAMAC_UNSCALED = 0,
  LLAMAC_LINEAR = 1,
  LLAMAC_LLAMA3 = 2,
  LLAMAC_DYNAMIC = 3, /* the angles follow the length of the sequence */
  LLAMAC_YARN = 4
};

/* How the model tells positions apart. The frequencies (inv_freq below) have
 * every scaling in them but LLAMAC_DYNAMIC: theirs are those of a sequence of
 * up to `original` tokens (runtime/PositionScheme.h has the rest). */
struct LlamacPositions {
  uint32_t scheme;  /* LlamacPositionScheme */
  uint32_t scaling; /* LlamacRopeScaling; 0 without rotation */
  double theta;     /* 0 without rotation */
  double factor;    /* of the scaling; 1 without */
  double attention_factor; /* on cosine and sine: 1 but for LLAMAC_YARN */
  uint32_t original; /* positions before the scaling; 0 where it has none */
  uint32_t window;   /* tokens that a token sees, itself included; 0: all */
};

struct LlamacPlanHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t header_bytes; /* sizeof(struct LlamacPlanHeader) */
  uint64_t plan_bytes;   /* of this section, header included */
  uint64_t plan_hash;    /* XXH3 of this section with this field 0 */

  /* sections */
  struct LlamacSectionCheck ptx;
  struct LlamacSectionCheck kernels_ptx;
  struct LlamacSectionCheck cubin;         /* size 0: absent */
  struct LlamacSectionCheck kernels_cubin; /* present exactly with cubin */
  struct LlamacSectionCheck tokenizer;
  struct LlamacSectionCheck passport;
  struct LlamacSectionCheck tensors;
  struct LlamacSectionCheck selftest; /* size 0: absent */
  struct LlamacSectionCheck weights; /* hash in pieces; with --no-weights: the size that is needed, hash 0 */
  uint64_t weights_id;               /* XXH3 of section .llamac.tensors, with dtype as its seed */
  uint32_t weights_place;            /* LlamacWeightsPlace */
  uint32_t sm_version;               /* 90 for sm_90a; that of the GPU row */

  /* model */
  uint32_t dtype; /* LlamacDtype: storage type of weights and KV entries */
  uint32_t vocab_size;
  uint32_t piece_count; /* ids >= this are never chosen */
  uint32_t hidden_size;
  uint32_t layers;
  uint32_t heads;
  uint32_t kv_heads;
  uint32_t head_dim;
  uint32_t max_seq_len; /* compiled maximum: prompt + output */
  uint32_t max_batch;   /* compiled maximum: sequences at once */
  uint32_t max_chunk;   /* most tokens of one @prefill call */
  uint32_t head_rows_max;
  uint32_t gpu_name_offset; /* into the strings: NUL-terminated row of the GPU table (runtime/GpuTable.h) */
  uint32_t chat_template; /* LlamacChatTemplate */

  /* special ids; -1: none. eos ids are an array (below). */
  int32_t bos_id;
  uint32_t add_bos; /* 1: a text prompt starts with bos_id */

  struct LlamacSampling sampling;
  struct LlamacPositions positions;

  /* memory */
  uint64_t weights_bytes;
  uint64_t workspace_bytes;
  uint64_t page_bytes; /* one KV page: all layers, heads, K and V */

  /* the control arrays, byte offsets into the workspace; int32 each */
  uint64_t tokens_offset;      /* [max(max_chunk, max_batch)] */
  uint64_t positions_offset;   /* [same] position in the sequence */
  uint64_t slots_offset;       /* [same] row of block_table */
  uint64_t block_table_offset; /* [max_batch][ceil(max_seq_len/64)] page numbers */
  uint64_t next_token_offset;  /* [head_rows_max], written by @head */
  uint64_t logits_offset;      /* float [head_rows_max][vocab_size], written by @head */

  /* The residual stream, byte offset into the workspace: float
   * [max(max_chunk, max_batch)][residual_stride], of which hidden_size values a
   * row count. Written by the launches before the first layer, then by each
   * layer; read by the next and by @head. */
  uint64_t residual_offset;
  uint64_t residual_stride; /* floats, from one row to the next */

  /* arrays in this section: byte offset from the header's start, and count */
  uint64_t kernels_offset;
  uint64_t launches_offset;
  uint64_t arguments_offset;
  uint64_t eos_offset;      /* int32 ids that end the text */
  uint64_t inv_freq_offset; /* double [head_dim/2], none with LLAMAC_ALIBI */
  uint64_t strings_offset;
  uint32_t kernel_count;
  uint32_t launch_count;
  uint32_t argument_count;
  uint32_t eos_count;
  uint32_t inv_freq_count;
  uint32_t strings_bytes;
  struct LlamacRange functions[LLAMAC_FUNCTION_COUNT];
};

/* Section .llamac.tensors: the packing, as the module's tile.stream ops say it.
 * Offsets are from the header's start. */
#define LLAMAC_TENSORS_MAGIC 0x534e4554434d4c4cull /* "LLMCTENS" */

struct LlamacTensorsHeader {
  uint64_t magic;
  uint64_t streams_offset; /* LlamacStream, by rising offset */
  uint64_t sources_offset; /* LlamacStreamSource */
  uint64_t strings_offset; /* NUL-terminated names of tensors */
  uint32_t stream_count;
  uint32_t source_count;
  uint32_t strings_bytes;
  uint32_t reserved; /* 0 */
};

/* How the rows of the sources become packed rows; see runtime/PackedLayout.h. */
enum LlamacRowOrder {
  LLAMAC_ROWS = 0,       /* as stored, one source after the other */
  LLAMAC_ROPE_PAIRS = 1, /* of query, key and value */
  LLAMAC_GATE_UP = 2,    /* of gate and up */
  LLAMAC_VECTOR = 3,     /* one vector, no tiles */
  /* The biases of such rows: rows is 1 and k their number; no tiles. */
  LLAMAC_ROPE_PAIRS_VECTOR = 4,
  LLAMAC_GATE_UP_VECTOR = 5
};

struct LlamacStream {
  uint64_t offset;   /* in the weight buffer, a multiple of 1024 */
  uint64_t rows;     /* before the padding to 64 */
  uint64_t k;        /* elements of a row, before the padding */
  uint32_t order;    /* LlamacRowOrder */
  uint32_t head_dim; /* of LLAMAC_ROPE_PAIRS and its vector, else 0 */
  uint32_t first_source;
  uint32_t source_count;
};

struct LlamacStreamSource {
  uint64_t rows;        /* of k elements; of a vector of pairs: its elements */
  uint32_t name_offset; /* into the strings: the tensor's name */
  uint32_t reserved;    /* 0 */
};

/* Section .llamac.selftest: what the float64 reference says of a few fixed
 * tokens, layer by layer. Stage 0 is the embedding; stage s is layer s - 1,
 * given the values of stage s - 1 exactly as they are stored here, so that an
 * error of one layer is not seen in the next. docs/numerics.md says how the
 * bounds are made. Offsets are from the header's start, multiples of 8. */
#define LLAMAC_SELFTEST_MAGIC 0x464c4553434d4c4cull /* "LLMCSELF" */
#define LLAMAC_SELFTEST_TOKENS_MAX 8u

struct LlamacSelftestHeader {
  uint64_t magic;
  uint32_t token_count; /* 1 to LLAMAC_SELFTEST_TOKENS_MAX */
  uint32_t stages;      /* layers + 1 */
  uint32_t hidden_size;
  uint32_t vocab_size;
  uint64_t tokens_offset;   /* int32 [token_count] */
  uint64_t residual_offset; /* float [stages][token_count][hidden_size] */
  uint64_t bounds_offset;   /* float [stages][token_count]: see docs/numerics.md */
  uint64_t logits_offset;   /* float [vocab_size]: of the last token */
  float head_bound;         /* of each logit, given the last stage's values */
  float run_bound;          /* of the relative L2 error of a whole run's logits */
  int32_t greedy_id;        /* the highest logit's */
  uint32_t greedy_settled;  /* 1: no rounding may change it */
};

/* The first bytes of OUT.weights; zeros up to LLAMAC_WEIGHTS_HEADER_BYTES. */
#define LLAMAC_WEIGHTS_MAGIC 0x53544757434d4c4cull /* "LLMCWGTS" */
#define LLAMAC_WEIGHTS_HEADER_BYTES 4096u

struct LlamacWeightsHeader {
  uint64_t magic;
  uint32_t version;      /* LLAMAC_FORMAT_VERSION */
  uint32_t header_bytes; /* LLAMAC_WEIGHTS_HEADER_BYTES */
  uint64_t id;           /* weights_id of the executables that it fits */
  uint64_t bytes;        /* of the packed weights */
  uint64_t hash;         /* of these, in pieces */
  uint64_t header_hash;  /* XXH3 of this struct with this field 0 */
};

/* Section .llamac.tokenizer. Offsets are from the header's start. It is mapped
 * and used in place; compiler/import/BpeModel.h writes it, for every format of
 * checkpoint, runtime/tokenizer/TokenizerSection.h reads it.
 *
 * Rejected: tokenizer.json as it is (17 MB and half a second at every start),
 * merges as pairs of texts (a hash of texts per merge at every start). */
#define LLAMAC_TOKENIZER_MAGIC 0x4e4b4f54434d4c4cull /* "LLMCTOKN" */
#define LLAMAC_TOKENIZER_VERSION 1u

enum LlamacTokenizerKind {
  /* model_offset has a tokenizer.model; the pieces are its own. */
  LLAMAC_TOKENIZER_SENTENCEPIECE = 0,
  /* Pieces are bytes. A text is split by `split`; each split is merged, from
   * one piece per byte. */
  LLAMAC_TOKENIZER_BYTE_LEVEL = 1,
  /* Pieces are UTF-8. U+2581 of the text is a space. Each stretch between
   * special tokens is merged as a whole, from one piece per character; one
   * without a piece is its bytes' pieces, or `unknown_id`. */
  LLAMAC_TOKENIZER_BYTE_FALLBACK = 2
};

/* How a text is cut before merging; nothing is merged across a cut. */
enum LlamacTokenizerSplit {
  LLAMAC_SPLIT_NONE = 0,
  LLAMAC_SPLIT_LLAMA3 = 1, /* runtime/tokenizer/Llama3Split.h */
  LLAMAC_SPLIT_SPACES = 2  /* before every space */
};

/* The space that is put before a text (the dummy prefix). */
enum LlamacTokenizerPrefix {
  LLAMAC_PREFIX_NONE = 0,
  LLAMAC_PREFIX_MISSING = 1, /* where the text does not begin with a space */
  LLAMAC_PREFIX_ALWAYS = 2
};

enum LlamacTokenizerFlags {
  /* The prefix is for the text at the start alone, not for those after tokens. */
  LLAMAC_TOKENIZER_PREFIX_FIRST = 1,
  /* A split that is a piece as a whole is not merged. */
  LLAMAC_TOKENIZER_WHOLE_PIECES = 2,
  /* Unknown characters in a row are one unknown_id. */
  LLAMAC_TOKENIZER_FUSE_UNKNOWN = 4,
  /* One space at the start of a decoded text is taken away. */
  LLAMAC_TOKENIZER_STRIP_SPACE = 8,
  /* Spaces are U+2581, and the prefix is put, in the text and in the tokens,
   * before `normalized` added tokens are looked for. */
  LLAMAC_TOKENIZER_NORMALIZES_TOKENS = 16
};

enum LlamacPieceKind {
  LLAMAC_PIECE_NONE = 0,    /* no piece has this id */
  LLAMAC_PIECE_TEXT = 1,    /* of the vocabulary: what merging makes */
  LLAMAC_PIECE_BYTE = 2,    /* one byte of a character without a piece */
  LLAMAC_PIECE_ADDED = 3,   /* never made by merging */
  LLAMAC_PIECE_SPECIAL = 4  /* likewise, and silent in a decoded text */
};

struct LlamacPiece {
  uint32_t text_offset; /* into the strings */
  uint16_t text_bytes;  /* what it says when it is decoded */
  uint16_t kind;        /* LlamacPieceKind */
};

/* Two pieces that stand side by side become one; lower ranks first, of equal
 * ones the leftmost. */
struct LlamacMerge {
  uint32_t left, right, result; /* pieces */
  uint32_t rank;
};

enum LlamacAddedTokenFlags {
  LLAMAC_ADDED_LEFT_STRIP = 1,  /* takes the white space before it */
  LLAMAC_ADDED_RIGHT_STRIP = 2, /* and after it */
  LLAMAC_ADDED_SINGLE_WORD = 4, /* only where no word character touches it */
  LLAMAC_ADDED_NORMALIZED = 8,  /* looked for after those without this flag */
  LLAMAC_ADDED_SPECIAL = 16     /* not looked for in text that is plain */
};

/* A text that is one token, found before anything else is done. */
struct LlamacAddedToken {
  uint32_t text_offset; /* into the strings */
  uint32_t text_bytes;
  uint32_t id;
  uint32_t flags; /* LlamacAddedTokenFlags */
};

struct LlamacTokenizerHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t kind;   /* LlamacTokenizerKind */
  uint64_t bytes;  /* of this section */
  uint32_t split;  /* LlamacTokenizerSplit */
  uint32_t prefix; /* LlamacTokenizerPrefix */
  uint32_t flags;  /* LlamacTokenizerFlags */
  int32_t unknown_id; /* -1: unknown characters are left out */
  uint32_t piece_count;
  uint32_t merge_count;
  uint32_t added_count;
  uint32_t strings_bytes;
  uint64_t pieces_offset;  /* LlamacPiece[piece_count], by id */
  uint64_t merges_offset;  /* LlamacMerge[merge_count], by rising rank */
  uint64_t added_offset;   /* LlamacAddedToken[added_count] */
  uint64_t strings_offset; /* UTF-8 or bytes, back to back */
  uint64_t model_offset;   /* of LLAMAC_TOKENIZER_SENTENCEPIECE, else 0 */
  uint64_t model_bytes;
};

#endif
