namespace EdgeSparse.Conformance;

/// <summary>
/// The node cases of onnx v1.21.0 that do not pass through <c>auto</c>, with the reason. The test wants these and no others, so a case that begins to pass leaves the list. Those under
/// <see cref="AutoOutcome.Failed"/> were run by ONNX Runtime's own binding for Node.js too, without any code of EdgeSparse, and fail there alike.
/// </summary>
internal static class AutoExceptions
{
    /// <summary>The library that this is the list of.</summary>
    public const string LibraryVersion = "1.30.0";

    public static IReadOnlyList<(AutoOutcome Outcome, string Reason, string[] Cases)> All { get; } =
    [
        (AutoOutcome.Failed, "ONNX Runtime adds the mask after the soft cap, as later releases of ONNX do; the data of 1.21 have it before. The native engine refuses both together for that reason",
            Names("test_attention_", "3d_with_past_and_present_qk_matmul_softcap 4d_with_qk_matmul_softcap")),
        (AutoOutcome.Failed, "ONNX Runtime wants a mask as wide as the keys, ONNX fills a narrower one up", Names("test_attention_", "4d_diff_heads_mask4d_padded_kv")),
        (AutoOutcome.Failed, "ONNX Runtime reads the indices as places in the larger plane, ONNX as places in the one without `output_shape`", Names("test_", "maxunpool_export_with_output_shape")),
        (AutoOutcome.Failed, "the expected values wrap around (−236 is 20 as int8), the operator is to saturate (−128), which ONNX Runtime does",
            Names("test_qlinearmatmul_", "2D_int8_float16 2D_int8_float32 3D_int8_float16 3D_int8_float32")),
        (AutoOutcome.Failed, "corners are those of the unrounded size in ONNX (0.6 · 4 = 2.4), of the rounded one (2) in ONNX Runtime; with scales that are constants the native engine does as ONNX says",
            Names("test_resize_downsample_scales_", "cubic_align_corners linear_align_corners")),
        (AutoOutcome.Failed, "what is dropped is random, and ONNX Runtime draws other numbers than numpy does for the same seed", Names("test_training_dropout", " _default _default_mask _mask")),

        (AutoOutcome.NotInOnnxRuntime, "operators of ai.onnx.preview.training: refused when the model is compiled",
            Names("test_", "adagrad adagrad_multiple adam adam_multiple gradient_of_add gradient_of_add_and_mul momentum momentum_multiple nesterov_momentum")),
        (AutoOutcome.NotInOnnxRuntime, "RandomUniformLike of operator set 22", Names("test_bernoulli", " _double _double_expanded _expanded _seed _seed_expanded")),
        (AutoOutcome.NotInOnnxRuntime, "ImageDecoder",
            Names("test_image_decoder_decode_", "bmp_rgb jpeg2k_rgb jpeg_bgr jpeg_grayscale jpeg_rgb png_rgb pnm_rgb tiff_rgb webp_rgb")),
        (AutoOutcome.NotInOnnxRuntime, "RoiAlign of operator set 22", Names("test_roialign_", "aligned_false aligned_true mode_max")),
        (AutoOutcome.NotInOnnxRuntime, "float4e2m1 in Cast, QuantizeLinear and DequantizeLinear",
            Names("test_cast_", "FLOAT16_to_FLOAT4E2M1 FLOAT4E2M1_to_FLOAT FLOAT4E2M1_to_FLOAT16 FLOAT_to_FLOAT4E2M1")
            .Concat(Names("test_castlike_", "FLOAT16_to_FLOAT4E2M1 FLOAT16_to_FLOAT4E2M1_expanded FLOAT4E2M1_to_FLOAT FLOAT4E2M1_to_FLOAT16 FLOAT4E2M1_to_FLOAT16_expanded FLOAT4E2M1_to_FLOAT_expanded FLOAT_to_FLOAT4E2M1 FLOAT_to_FLOAT4E2M1_expanded"))
            .Concat(Names("test_", "dequantizelinear_float4e2m1 quantizelinear_float4e2m1")).ToArray()),
        (AutoOutcome.NotInOnnxRuntime, "operators of operator set 1, older than ONNX Runtime knows (7)", Names("test_", "AvgPool3d AvgPool3d_stride AvgPool3d_stride1_pad0_gpu_input operator_pow")),
        (AutoOutcome.NotInOnnxRuntime, "recurrent layers with the batch first (layout 1)", Names("test_", "gru_batchwise lstm_batchwise simple_rnn_batchwise")),
        (AutoOutcome.NotInOnnxRuntime, "ConvInteger with a zero point for each filter", Names("test_", "convinteger_with_padding")),
        (AutoOutcome.NotInOnnxRuntime, "BitCast of bool", Names("test_", "bitcast_bool_to_uint8")),
        (AutoOutcome.NotInOnnxRuntime, "TopK of uint64", Names("test_", "top_k_uint64")),

        (AutoOutcome.NotCarried, "strings go in or out",
            Names("test_ai_onnx_ml_label_encoder_", "string_int string_int_no_default tensor_mapping tensor_value_only_mapping")
            .Concat(Names("test_equal_string", " _broadcast"))
            .Concat(Names("test_regex_full_match_", "basic email_domain empty"))
            .Concat(Names("test_string_", "concat concat_broadcasting concat_empty_string concat_utf8 concat_zero_dimensional split_basic split_consecutive_delimiters split_empty_string_delimiter split_empty_tensor split_maxsplit split_no_delimiter"))
            .Concat(Names("test_strnorm_model_", "monday_casesensintive_lower monday_casesensintive_nochangecase monday_casesensintive_upper monday_empty_output monday_insensintive_upper_twodim nostopwords_nochangecase"))
            .Concat(Names("test_strnormalizer_", "export_monday_casesensintive_lower export_monday_casesensintive_nochangecase export_monday_casesensintive_upper export_monday_empty_output export_monday_insensintive_upper_twodim nostopwords_nochangecase")).ToArray()),
        (AutoOutcome.NotCarried, "sequences go in or out",
            Names("test_", "identity_sequence if_seq loop13_seq optional_get_element_sequence sequence_insert_at_back sequence_insert_at_front split_to_sequence_1 split_to_sequence_2 split_to_sequence_nokeepdims")
            .Concat(Names("test_sequence_map_", "add_1_sequence_1_tensor add_1_sequence_1_tensor_expanded add_2_sequences add_2_sequences_expanded extract_shapes extract_shapes_expanded identity_1_sequence identity_1_sequence_1_tensor identity_1_sequence_1_tensor_expanded identity_1_sequence_expanded identity_2_sequences identity_2_sequences_expanded")).ToArray()),
        (AutoOutcome.NotCarried, "optionals go in or out",
            Names("test_", "identity_opt if_opt loop16_seq_none optional_get_element_optional_sequence optional_get_element_optional_tensor optional_has_element_empty_optional_input optional_has_element_optional_input optional_has_element_tensor_input")),
    ];

    private static string[] Names(string prefix, string endings) => Array.ConvertAll(endings.Split(' '), ending => prefix + ending);
}
