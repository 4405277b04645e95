/* qxmpp.cpp: a person over QXmpp, moved by lines on standard input, that says on standard output
 * what it sees. Every word of both is percent-encoded. Arguments: jid, password, port, CA file;
 * "register" behind them if the account is to be made first. */
#include <QXmppClient.h>
#include <QXmppClientExtension.h>
#include <QXmppDataForm.h>
#include <QXmppDiscoveryIq.h>
#include <QXmppDiscoveryManager.h>
#include <QXmppMessage.h>
#include <QXmppMessageReceiptManager.h>
#include <QXmppMixInvitation.h>
#include <QXmppMixIq.h>
#include <QXmppMixItem.h>
#include <QXmppPresence.h>
#include <QXmppPubSubIq.h>
#include <QXmppPubSubItem.h>
#include <QXmppRegisterIq.h>
#include <QXmppRegistrationManager.h>
#include <QXmppRosterManager.h>
#include <QXmppVersionIq.h>
#include <QXmppVersionManager.h>

#include <QCoreApplication>
#include <QDomDocument>
#include <QFile>
#include <QSocketNotifier>
#include <QSslCertificate>
#include <QSslSocket>
#include <QUrl>

#include <cstdio>
#include <map>
#include <optional>
#include <unistd.h>

namespace
{

const QString node_prefix = "urn:xmpp:mix:nodes:";

void say(const QStringList &words)
{
    QByteArray line;
    for (const QString &word : words)
        line += QUrl::toPercentEncoding(word) + ' ';
    line.chop(1);
    std::puts(line.constData());
}

/* Channels (MIX), for which QXmpp 1.4 has stanzas and no manager. */
class Rooms : public QXmppClientExtension
{
  public:
    QStringList discoveryFeatures() const override
    {
        return {"urn:xmpp:mix:core:1"};
    }
    bool handleStanza(const QDomElement &stanza) override;
    bool obey(const QStringList &words);
    void hear(const QXmppMessage &message);

  private:
    bool ask(QXmppMixIq::Type type, const QString &jid, const QString &nick);
    bool ask_items(const QString &channel, const QString &node);
    bool ask_invitation(const QString &channel, const QString &invitee);
    bool enter(const QString &nick);
    void say_answer(const QXmppMixIq &iq);
    void say_items(const QXmppPubSubIq &iq);
    bool pass_invitation(const QDomElement &invite);

    std::optional<QXmppMixInvitation> invitation; /* the last that was heard */
};

bool Rooms::handleStanza(const QDomElement &stanza)
{
    if (stanza.tagName() != "iq")
        return false;
    if (stanza.attribute("type") == "error") {
        say({"no", stanza.attribute("from"),
             stanza.firstChildElement("error").firstChildElement().tagName()});
        return false;
    }
    if (QXmppMixIq::isMixIq(stanza)) {
        QXmppMixIq iq;
        iq.parse(stanza);
        say_answer(iq);
        return true;
    }
    if (QXmppPubSubIq::isPubSubIq(stanza)) {
        QXmppPubSubIq iq;
        iq.parse(stanza);
        say_items(iq);
        return true;
    }
    return pass_invitation(stanza.firstChildElement("invite"));
}

void Rooms::say_answer(const QXmppMixIq &iq)
{
    static const std::map<int, QString> names = {{QXmppMixIq::ClientJoin, "joined"},
                                                 {QXmppMixIq::ClientLeave, "left"},
                                                 {QXmppMixIq::Create, "created"},
                                                 {QXmppMixIq::SetNick, "named"}};
    const auto name = names.find(iq.actionType());
    QStringList nodes;
    for (const QString &node : iq.nodes())
        nodes += node.mid(node_prefix.size());
    nodes.sort();
    say({name == names.end() ? "?" : name->second, iq.from(), iq.jid() + iq.channelName(),
         iq.nick(), nodes.join(' ')});
}

void Rooms::say_items(const QXmppPubSubIq &iq)
{
    for (const QXmppPubSubItem &item : iq.items()) {
        QXmppMixParticipantItem person;
        QXmppMixInfoItem info;
        if (iq.queryNode() == node_prefix + "participants") {
            person.parse(item.contents());
            say({"participant", item.id(), person.nick(), person.jid()});
        } else {
            info.parse(item.contents());
            say({"about", info.name(), info.description(), info.contactJids().join(' ')});
        }
    }
    say({"items", iq.queryNode(), QString::number(iq.items().size())});
}

/* To who was invited, in QXmpp's own words. */
bool Rooms::pass_invitation(const QDomElement &invite)
{
    const QDomElement given = invite.firstChildElement("invitation");
    if (given.isNull() || !QXmppMixInvitation::isMixInvitation(given))
        return false;
    QXmppMixInvitation read;
    read.parse(given);
    QXmppMessage message({}, read.inviteeJid(), "Come in!");
    message.setMixInvitation(read);
    client()->sendPacket(message);
    say({"invited", read.inviteeJid()});
    return true;
}

void Rooms::hear(const QXmppMessage &message)
{
    if (message.type() == QXmppMessage::GroupChat)
        say({"said", message.from(), message.mixUserNick(), message.mixUserJid(), message.id(),
             message.body()});
    if (message.type() == QXmppMessage::Error)
        say({"unheard", message.from(), QString::number(message.error().condition())});
    if (message.mixInvitation()) {
        invitation = message.mixInvitation();
        say({"invitation", invitation->inviterJid(), invitation->inviteeJid(),
             invitation->channelJid(), invitation->token().left(1)});
    }
}

bool Rooms::ask(QXmppMixIq::Type type, const QString &jid, const QString &word)
{
    QXmppMixIq iq;
    iq.setType(QXmppIq::Set);
    iq.setActionType(type);
    if (type == QXmppMixIq::ClientJoin || type == QXmppMixIq::ClientLeave)
        iq.setJid(jid); /* to one's own account */
    else
        iq.setTo(jid);
    if (type == QXmppMixIq::ClientJoin)
        iq.setNodes({node_prefix + "messages", node_prefix + "participants", node_prefix + "info",
                     node_prefix + "presence"});
    if (type == QXmppMixIq::Create || type == QXmppMixIq::Destroy)
        iq.setChannelName(word);
    else
        iq.setNick(word);
    return client()->sendPacket(iq);
}

bool Rooms::ask_items(const QString &channel, const QString &node)
{
    QXmppPubSubIq iq;
    iq.setType(QXmppIq::Get);
    iq.setTo(channel);
    iq.setQueryType(QXmppPubSubIq::ItemsQuery);
    iq.setQueryNode(node_prefix + node);
    return client()->sendPacket(iq);
}

bool Rooms::ask_invitation(const QString &channel, const QString &invitee)
{
    QXmppIq iq(QXmppIq::Get);
    QXmppElement invite, whom;
    invite.setTagName("invite");
    invite.setAttribute("xmlns", "urn:xmpp:mix:misc:0");
    whom.setTagName("invitee");
    whom.setValue(invitee);
    invite.appendChild(whom);
    iq.setTo(channel);
    iq.setExtensions({invite});
    return client()->sendPacket(iq);
}

/* QXmppMixIq has no place for an invitation. */
bool Rooms::enter(const QString &nick)
{
    QByteArray xml;
    QDomDocument document;
    QXmlStreamWriter writer(&xml);
    if (!invitation)
        return false;
    writer.writeStartElement("client-join");
    writer.writeDefaultNamespace("urn:xmpp:mix:pam:1");
    writer.writeAttribute("channel", invitation->channelJid());
    writer.writeStartElement("join");
    writer.writeDefaultNamespace("urn:xmpp:mix:core:1");
    writer.writeStartElement("subscribe");
    writer.writeAttribute("node", node_prefix + "messages");
    writer.writeEndElement();
    writer.writeTextElement("nick", nick);
    invitation->toXml(&writer);
    writer.writeEndElement();
    writer.writeEndElement();
    document.setContent(xml);
    QXmppIq iq(QXmppIq::Set);
    iq.setExtensions({QXmppElement(document.documentElement())});
    return client()->sendPacket(iq);
}

bool Rooms::obey(const QStringList &words)
{
    static const std::map<QString, QXmppMixIq::Type> types = {{"create", QXmppMixIq::Create},
                                                              {"destroy", QXmppMixIq::Destroy},
                                                              {"join", QXmppMixIq::ClientJoin},
                                                              {"part", QXmppMixIq::ClientLeave},
                                                              {"nick", QXmppMixIq::SetNick}};
    const auto type = types.find(words[0]);
    if (type != types.end())
        return ask(type->second, words.value(1), words.value(2));
    if (words[0] == "items")
        return ask_items(words.value(1), words.value(2));
    if (words[0] == "invite")
        return ask_invitation(words.value(1), words.value(2));
    if (words[0] == "enter")
        return enter(words.value(1));
    if (words[0] != "speak")
        return false;
    QXmppMessage message({}, words.value(1), words.value(2));
    message.setType(QXmppMessage::GroupChat);
    return client()->sendPacket(message);
}

class Person : public QXmppClient
{
  public:
    Person();
    bool obey(const QStringList &words);
    void obey_input();
    void follow_registration(bool registers);

  private:
    void say_contact(const QString &address);
    void say_error(QXmppClient::Error error);
    void follow_roster();
    bool fill(const QStringList &words);

    QXmppRegistrationManager &registration = *new QXmppRegistrationManager;
    QXmppDataForm form;
    QXmppRosterManager &roster = *findExtension<QXmppRosterManager>();
    QXmppDiscoveryManager &discovery = *findExtension<QXmppDiscoveryManager>();
    QXmppVersionManager &version = *findExtension<QXmppVersionManager>();
    Rooms &rooms = *new Rooms;
    QByteArray input;
};

void Person::say_contact(const QString &address)
{
    const auto entry = roster.getRosterEntry(address);
    static const std::map<int, QString> names = {
        {QXmppRosterIq::Item::None, "none"},    {QXmppRosterIq::Item::To, "to"},
        {QXmppRosterIq::Item::From, "from"},    {QXmppRosterIq::Item::Both, "both"},
        {QXmppRosterIq::Item::NotSet, "unset"}, {QXmppRosterIq::Item::Remove, "removed"}};
    say({"contact", address, names.at(entry.subscriptionType()), entry.name()});
    if (entry.isMixChannel())
        say({"room", address, entry.mixParticipantId()});
}

void Person::say_error(QXmppClient::Error error)
{
    switch (error) {
    case QXmppClient::SocketError:
        say({"error", "socket", socketErrorString()});
        break;
    case QXmppClient::XmppStreamError:
        say({"error", "stream", QString::number(xmppStreamError())});
        break;
    default:
        say({"error", "other", QString::number(error)});
    }
}

void Person::follow_roster()
{
    connect(&roster, &QXmppRosterManager::rosterReceived, [this] {
        for (const QString &address : roster.getRosterBareJids())
            say_contact(address);
        say({"roster", QString::number(roster.getRosterBareJids().size())});
    });
    connect(&roster, &QXmppRosterManager::itemAdded, [this](const QString &a) { say_contact(a); });
    connect(&roster, &QXmppRosterManager::itemChanged,
            [this](const QString &a) { say_contact(a); });
    connect(&roster, &QXmppRosterManager::itemRemoved, [](const QString &address) {
        say({"removed", address});
    });
    connect(&roster, &QXmppRosterManager::subscriptionReceived, [](const QString &address) {
        say({"request", address});
    });
}

/* What is asked for is said by its labels. */
void Person::follow_registration(bool registers)
{
    addExtension(&registration);
    registration.setRegisterOnConnectEnabled(registers);
    connect(&registration, &QXmppRegistrationManager::registrationFormReceived,
            [this](const QXmppRegisterIq &iq) {
                QStringList words = {"form"};
                form = iq.form();
                for (const QXmppDataForm::Field &field : form.fields())
                    if (field.type() != QXmppDataForm::Field::HiddenField)
                        words += field.label();
                say(words);
            });
    const auto refused = [](const QXmppStanza::Error &error) {
        say({"refused", QString::number(error.condition()), error.text()});
    };
    connect(&registration, &QXmppRegistrationManager::registrationFailed, refused);
    connect(&registration, &QXmppRegistrationManager::passwordChangeFailed, refused);
    connect(&registration, &QXmppRegistrationManager::accountDeletionFailed, refused);
    connect(&registration, &QXmppRegistrationManager::registrationSucceeded,
            [] { say({"registered"}); });
    connect(&registration, &QXmppRegistrationManager::passwordChanged, [](const QString &secret) {
        say({"changed", secret});
    });
    connect(&registration, &QXmppRegistrationManager::accountDeleted, [] { say({"deleted"}); });
}

/* Label, value, label, value. */
bool Person::fill(const QStringList &words)
{
    for (int i = 0; i + 1 < words.size(); i += 2)
        for (QXmppDataForm::Field &field : form.fields())
            if (field.label() == words[i])
                field.setValue(words[i + 1]);
    form.setType(QXmppDataForm::Submit);
    registration.setRegistrationFormToSend(form);
    registration.sendCachedRegistrationForm();
    return true;
}

Person::Person()
{
    addExtension(&rooms);
    follow_roster();
    auto *receipts = new QXmppMessageReceiptManager; // answers requests, too
    addExtension(receipts);
    connect(receipts, &QXmppMessageReceiptManager::messageDelivered,
            [](const QString &by, const QString &) {
                say({"delivered", by});
            });
    connect(this, &QXmppClient::connected, [this] { say({"online", configuration().jid()}); });
    connect(this, &QXmppClient::disconnected, [] {
        say({"offline"});
        QCoreApplication::quit();
    });
    connect(this, &QXmppClient::error, [this](QXmppClient::Error error) { say_error(error); });
    connect(this, &QXmppClient::sslErrors, [](const QList<QSslError> &errors) {
        for (const QSslError &error : errors)
            say({"certificate", error.errorString()});
    });
    connect(this, &QXmppClient::messageReceived, [this](const QXmppMessage &message) {
        rooms.hear(message);
        if (!message.body().isEmpty() && message.type() != QXmppMessage::GroupChat)
            say({"message", message.from(), message.stamp().isValid() ? "late" : "live",
                 message.body()});
    });
    connect(this, &QXmppClient::presenceReceived, [](const QXmppPresence &presence) {
        if (presence.type() == QXmppPresence::Available)
            say({"available", presence.from(), presence.statusText()});
        if (presence.type() == QXmppPresence::Unavailable)
            say({"unavailable", presence.from(), presence.statusText()});
    });
    connect(&discovery, &QXmppDiscoveryManager::infoReceived, [](const QXmppDiscoveryIq &iq) {
        if (iq.type() == QXmppIq::Result)
            say(QStringList{"info", iq.from()} + iq.features());
    });
    connect(&version, &QXmppVersionManager::versionReceived, [](const QXmppVersionIq &iq) {
        say({"version", iq.from(), iq.name()});
    });
}

bool Person::obey(const QStringList &words)
{
    const QString verb = words[0];
    const QString address = words.value(1);

    if (verb == "leave")
        disconnectFromServer();
    else if (verb == "subscribe")
        return roster.subscribe(address);
    else if (verb == "accept")
        return roster.acceptSubscription(address);
    else if (verb == "remove")
        return roster.removeItem(address);
    else if (verb == "rename")
        return roster.renameItem(address, words.value(2));
    else if (verb == "info")
        return !discovery.requestInfo(address).isEmpty();
    else if (verb == "version")
        return !version.requestVersion(address).isEmpty();
    else if (verb == "fill")
        return fill(words.mid(1));
    else if (verb == "password")
        registration.changePassword(words.value(1));
    else if (verb == "delete")
        registration.deleteAccount();
    else if (verb == "say") {
        QXmppMessage message({}, address, words.value(2));
        message.setReceiptRequested(true);
        return sendPacket(message);
    } else
        return rooms.obey(words);
    return true;
}

void Person::obey_input()
{
    char bytes[4096];
    const ssize_t len = read(STDIN_FILENO, bytes, sizeof bytes);

    if (len <= 0) {
        QCoreApplication::exit(3);
        return;
    }
    input.append(bytes, static_cast<int>(len));
    for (int end = input.indexOf('\n'); end >= 0; end = input.indexOf('\n')) {
        QStringList words;
        for (const QByteArray &word : input.left(end).split(' '))
            words += QUrl::fromPercentEncoding(word);
        input.remove(0, end + 1);
        if (!obey(words))
            say({"impossible", words[0]});
    }
}

} // namespace

int main(int count, char **words)
{
    QCoreApplication application(count, words);
    const bool registers = count == 6 && QByteArray(words[5]) == "register";
    if (count != 5 && !registers) {
        std::fprintf(stderr, "usage: qxmpp JID PASSWORD PORT CA [register]\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    Person person;
    person.follow_registration(registers);
    QXmppConfiguration wanted;
    wanted.setJid(words[1]);
    wanted.setPassword(words[2]);
    wanted.setHost("127.0.0.1");
    wanted.setPort(QByteArray(words[3]).toInt());
    wanted.setCaCertificates(QSslCertificate::fromPath(words[4]));
    wanted.setStreamSecurityMode(QXmppConfiguration::TLSRequired);
    wanted.setAutoReconnectionEnabled(false);
    QXmppLogger logger;
    QObject::connect(&logger, &QXmppLogger::message,
                     [](QXmppLogger::MessageType, const QString &text) {
                         std::fprintf(stderr, "%s\n", text.toUtf8().constData());
                     });
    logger.setLoggingType(QXmppLogger::SignalLogging);
    person.setLogger(&logger);
    QSocketNotifier notifier(STDIN_FILENO, QSocketNotifier::Read);
    QObject::connect(&notifier, &QSocketNotifier::activated, [&person] { person.obey_input(); });
    person.connectToServer(wanted);
    return QCoreApplication::exec();
}
