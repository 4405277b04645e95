/* qxmpp.cpp: a person over QXmpp, moved by lines on standard input, that says on standard output
 * what it sees. Every word of both is percent-encoded. Arguments: jid, password, port, CA file;
 * "register" behind them if the account is to be made first. */
#include <QXmppClient.h>
#include <QXmppDataForm.h>
#include <QXmppDiscoveryIq.h>
#include <QXmppDiscoveryManager.h>
#include <QXmppMessage.h>
#include <QXmppMessageReceiptManager.h>
#include <QXmppPresence.h>
#include <QXmppRegisterIq.h>
#include <QXmppRegistrationManager.h>
#include <QXmppRosterManager.h>
#include <QXmppVersionIq.h>
#include <QXmppVersionManager.h>

#include <QCoreApplication>
#include <QFile>
#include <QSocketNotifier>
#include <QSslCertificate>
#include <QSslSocket>
#include <QUrl>

#include <cstdio>
#include <map>
#include <unistd.h>

namespace
{

class Person : public QXmppClient
{
  public:
    Person();
    bool obey(const QStringList &words);
    void obey_input();
    void follow_registration(bool registers);

  private:
    void say(const QStringList &words);
    void say_contact(const QString &address);
    void say_error(QXmppClient::Error error);
    void follow_roster();
    bool fill(const QStringList &words);

    QXmppRegistrationManager &registration = *new QXmppRegistrationManager;
    QXmppDataForm form;
    QXmppRosterManager &roster = *findExtension<QXmppRosterManager>();
    QXmppDiscoveryManager &discovery = *findExtension<QXmppDiscoveryManager>();
    QXmppVersionManager &version = *findExtension<QXmppVersionManager>();
    QByteArray input;
};

void Person::say(const QStringList &words)
{
    QByteArray line;
    for (const QString &word : words)
        line += QUrl::toPercentEncoding(word) + ' ';
    line.chop(1);
    std::puts(line.constData());
}

void Person::say_contact(const QString &address)
{
    const auto entry = roster.getRosterEntry(address);
    static const std::map<int, QString> names = {
        {QXmppRosterIq::Item::None, "none"},    {QXmppRosterIq::Item::To, "to"},
        {QXmppRosterIq::Item::From, "from"},    {QXmppRosterIq::Item::Both, "both"},
        {QXmppRosterIq::Item::NotSet, "unset"}, {QXmppRosterIq::Item::Remove, "removed"}};
    say({"contact", address, names.at(entry.subscriptionType()), entry.name()});
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
    connect(&roster, &QXmppRosterManager::itemRemoved, [this](const QString &address) {
        say({"removed", address});
    });
    connect(&roster, &QXmppRosterManager::subscriptionReceived, [this](const QString &address) {
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
    const auto refused = [this](const QXmppStanza::Error &error) {
        say({"refused", QString::number(error.condition()), error.text()});
    };
    connect(&registration, &QXmppRegistrationManager::registrationFailed, refused);
    connect(&registration, &QXmppRegistrationManager::passwordChangeFailed, refused);
    connect(&registration, &QXmppRegistrationManager::accountDeletionFailed, refused);
    connect(&registration, &QXmppRegistrationManager::registrationSucceeded,
            [this] { say({"registered"}); });
    connect(&registration, &QXmppRegistrationManager::passwordChanged,
            [this](const QString &secret) {
                say({"changed", secret});
            });
    connect(&registration, &QXmppRegistrationManager::accountDeleted, [this] { say({"deleted"}); });
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
    follow_roster();
    auto *receipts = new QXmppMessageReceiptManager; // answers requests, too
    addExtension(receipts);
    connect(receipts, &QXmppMessageReceiptManager::messageDelivered,
            [this](const QString &by, const QString &) {
                say({"delivered", by});
            });
    connect(this, &QXmppClient::connected, [this] { say({"online", configuration().jid()}); });
    connect(this, &QXmppClient::disconnected, [this] {
        say({"offline"});
        QCoreApplication::quit();
    });
    connect(this, &QXmppClient::error, [this](QXmppClient::Error error) { say_error(error); });
    connect(this, &QXmppClient::sslErrors, [this](const QList<QSslError> &errors) {
        for (const QSslError &error : errors)
            say({"certificate", error.errorString()});
    });
    connect(this, &QXmppClient::messageReceived, [this](const QXmppMessage &message) {
        if (!message.body().isEmpty())
            say({"message", message.from(), message.stamp().isValid() ? "late" : "live",
                 message.body()});
    });
    connect(this, &QXmppClient::presenceReceived, [this](const QXmppPresence &presence) {
        if (presence.type() == QXmppPresence::Available)
            say({"available", presence.from(), presence.statusText()});
        if (presence.type() == QXmppPresence::Unavailable)
            say({"unavailable", presence.from(), presence.statusText()});
    });
    connect(&discovery, &QXmppDiscoveryManager::infoReceived, [this](const QXmppDiscoveryIq &iq) {
        if (iq.type() == QXmppIq::Result)
            say(QStringList{"info", iq.from()} + iq.features());
    });
    connect(&version, &QXmppVersionManager::versionReceived, [this](const QXmppVersionIq &iq) {
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
        return false;
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
