using EdgeSparse.Mqtt.Access;

namespace EdgeSparse.Mqtt;

/// <summary>Admits clients by a password file and lets them read and write by rules; both in the formats of mosquitto, so mosquitto_passwd makes the one.</summary>
public sealed class MqttFileAuthorizer : IMqttAuthorizer
{
    private readonly PasswordFile? passwords;
    private readonly AccessRules? rules;
    private readonly bool allowAnonymous;

    /// <summary>Throws <see cref="FormatException"/> with the number of a wrong line, but never its text where it may hold a password.</summary>
    /// <param name="passwordLines">Of the password file; null = nobody is asked for a password.</param>
    /// <param name="ruleLines">Of the file of rules; null = whoever is admitted may read and write everything.</param>
    /// <param name="allowAnonymous">Whether clients without a user name are admitted.</param>
    public MqttFileAuthorizer(IEnumerable<string>? passwordLines, IEnumerable<string>? ruleLines, bool allowAnonymous)
    {
        passwords = passwordLines is null ? null : ParsePart("password file", PasswordFile.Parse, passwordLines);
        rules = ruleLines is null ? null : ParsePart("access rules", AccessRules.Parse, ruleLines);
        this.allowAnonymous = allowAnonymous;
    }

    public MqttReasonCode AuthorizeConnect(MqttIdentity client, ReadOnlySpan<byte> password)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (client.UserName is null) return allowAnonymous ? MqttReasonCode.Success : MqttReasonCode.NotAuthorized;
        return passwords is null || passwords.Verify(client.UserName, password) ? MqttReasonCode.Success : MqttReasonCode.BadUserNameOrPassword;
    }

    public bool AuthorizePublish(MqttIdentity client, ReadOnlySpan<byte> topic, MqttQos qos, bool retain) => rules is null || rules.MayWrite(client, topic);

    public bool AuthorizeSubscribe(MqttIdentity client, string filter) => rules is null || rules.MaySubscribe(client, filter);

    private static T ParsePart<T>(string part, Func<IEnumerable<string>, T> parse, IEnumerable<string> lines)
    {
        try
        {
            return parse(lines);
        }
        catch (FormatException e)
        {
            throw new FormatException($"{part}, {e.Message}", e);
        }
    }
}
