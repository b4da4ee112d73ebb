namespace EdgeSparse.Mqtt;

/// <summary>How a served connection ended.</summary>
/// <param name="ClientId">Null where no client was admitted.</param>
/// <param name="Reason">
/// Success: the client said goodbye. UnspecifiedError: the transport ended without. Else what the client did wrong or what the broker decided.
/// </param>
/// <param name="Message">The same in words, for a log.</param>
/// <param name="Drained">
/// False: the peer did not take the last bytes in time, so the owner of the transport should abort it instead of waiting for them.
/// </param>
public readonly record struct MqttConnectionEnd(string? ClientId, MqttReasonCode Reason, string Message, bool Drained);
