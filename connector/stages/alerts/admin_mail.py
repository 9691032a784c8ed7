"""The mail that asks the admin whether addresses are really wrong, while nothing is sent to customers: once for each stop."""

from connector.stages.alerts import sending
from connector.stages.context import Context
from connector.stages.deliver.recipients import may_mail
from connector.stages.write_back.desired_values import words_of
from connector.store.surveys import mail_trouble
from connector.store.views import reports
from connector.surveys.staff_mail import MailItem, MailSection, StaffMail, staff_message
from connector.surveys.survey_mail import Site


def run(context: Context, site: Site) -> int:
    """Ask, if mail to customers is stopped and the admin was not asked yet; returns how many mails were sent."""
    admin = context.settings.admin.email
    if admin is None or context.channel is None or context.breaker.server_is_away:
        return 0
    if not any(may_mail(context, crm, admin) for crm in context.live):
        return 0
    with context.store.read() as tx:
        stopped = mail_trouble.stopped(tx)
        if stopped is None:
            return 0
        key = f"stopped:{stopped.since.isoformat()}:{admin}"
        if reports.was_begun(tx, key):
            return 0
    words = words_of(context)
    item = MailItem(
        task="",
        headline=words.text("stopped.what", refused=stopped.refused, of=stopped.of),
        account=words.text("stopped.so"),
        quotes=(stopped.last,),
        action=words.text("stopped.action"),
        phone=None,
        links=(),
        outcomes=(),
    )
    mail = StaffMail(
        to=admin,
        to_name="",
        subject=words.text("stopped.subject"),
        sections=[MailSection(words.text("stopped.title"), (item,))],
        why=words.text("stopped.why"),
    )
    message_id = site.message_id(f"stopped.{stopped.since:%Y%m%d%H%M%S}")
    message = staff_message(mail, words=words, site=site, message_id=message_id)
    return sending.send(context, message, key, kind="stopped")
