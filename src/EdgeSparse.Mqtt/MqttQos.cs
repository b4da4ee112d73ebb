namespace EdgeSparse.Mqtt;

/// <summary>Quality of service of a message or the most a subscription asks for (MQTT 5, section 4.3).</summary>
public enum MqttQos : byte
{
    AtMostOnce = 0,
    AtLeastOnce = 1,
    ExactlyOnce = 2,
}
