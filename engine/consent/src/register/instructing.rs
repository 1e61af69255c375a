//! Tenants' instructions: put in force, ended, carried out. See [`tenants`](crate::tenants) for the steps.

use std::sync::Arc;

use sayso_audit::{Actor, ControlEvent, Event, Hash, Reference};
use sayso_policy::{Instructions as Narrowing, IsoPeriod, Registry};
use sayso_store::{Error as StoreError, Op, Range, TypedKey, Versioned};
use sayso_types::{Name, SubjectId, TenantId, WallTime};

use super::Register;
use super::state::StoredState;
use super::switching::Turn;
use crate::erasure::Ground;
use crate::erasure::pending::Pending;
use crate::journal::About;
use crate::notices::book::sending;
use crate::notices::{Audience, Draft, Error as NoticeError, NoticeKind, Notices, Text};
use crate::tables::{ERASURE, NoticeSpreadKey, RegisterKey};
use crate::tenants::{Demand, Ending, NotInstructed, Order, TENANTS_MAX, Tenant, Why, stored};
use crate::{Entry, Error};

/// People who are looked at in one step: some hundred kilobytes, which hold nobody else up.
const PAGE: usize = 256;

/// Erasures on their way beyond which no more are begun: each look at what is due reads them all.
const ERASING_MAX: usize = 1_024;

/// By when its people are told that a tenant is served no more, where the policy says nothing of it.
const TOLD_WITHIN: &str = "P1M";

/// What the people of `tenant`, which is served no more, are told.
fn said(tenant: &Tenant, language: Name) -> Text {
    let id = tenant.id;
    if language.as_str().split('-').next() == Some("zh") {
        let spoken = "本设备的服务商已不再使用本服务，为你保存的内容将被删除。".to_owned();
        return Text { written: format!("{spoken}\n编号：{id}"), spoken };
    }
    let spoken = "The provider of this device is served here no more. What was kept for you is going to be erased.";
    Text { written: format!("{spoken}\nReference: {id}"), spoken: spoken.to_owned() }
}

impl Register {
    /// Has data of a tenant's people used for what `order` names from here on, and for nothing else. What it does not name
    /// passes no gate any more when this returns.
    ///
    /// # Errors
    /// [`Error::NotInstructed`] says why not: nothing has changed then. Or as the store says.
    pub async fn instruct(self: &Arc<Self>, order: Order, by: Actor) -> Result<Tenant, Error> {
        let register = Arc::clone(self);
        let work = async move {
            let turn = register.rules_turn().await;
            let tenants = register.tenants().await?;
            let before = tenants.iter().find(|tenant| tenant.order.tenant == order.tenant);
            if before.is_none() && tenants.len() >= TENANTS_MAX {
                return Err(NotInstructed::TooMany.into());
            }
            let rev = register.revisions().registry().rev() + 1;
            let made = (Reference(SubjectId::random().0), rev, register.clock.wall());
            let next = Tenant::instructed(before, order, &register.profile(), made)?;
            let told = About::default().by_registry(rev);
            let events = next.events().into_iter().map(|event| told.by(by, event)).collect();
            register.rule(&turn, &next, Entry { events, ..Entry::default() }).await?;
            Ok(next)
        };
        self.to_the_end("instruct", work).await?
    }

    /// Demands of `tenant` that it shows `what` by `due`, or by when the policy says: if it does not, nothing of its people passes
    /// a gate from then on, until what it shows is [accepted](Self::accept_evidence).
    ///
    /// # Errors
    /// [`Error::NotInstructed`] says why not: nothing has changed then. Or as the store says.
    pub async fn demand_evidence(
        self: &Arc<Self>,
        tenant: TenantId,
        what: String,
        due: Option<WallTime>,
        by: Actor,
    ) -> Result<Tenant, Error> {
        let register = Arc::clone(self);
        let work = async move {
            let turn = register.rules_turn().await;
            let known = register.instructing(&tenant).await?;
            let (rev, id) = (register.revisions().registry().rev() + 1, Reference(SubjectId::random().0));
            let demand = Demand::new(id, what, due, &register.profile(), register.clock.wall())?;
            let event = ControlEvent::TenantDemanded { demand: id, tenant: known.hash(), due: demand.due };
            let next = known.demanded(demand, rev)?;
            register.rule_by(&turn, &next, event, by).await?;
            Ok(next)
        };
        self.to_the_end("demand evidence", work).await?
    }

    /// Accepts `document`, of which this is the SHA-256, as what was demanded of `tenant`.
    ///
    /// # Errors
    /// [`Error::NotInstructed`] when nothing is demanded of it; or as the store says.
    pub async fn accept_evidence(
        self: &Arc<Self>,
        tenant: TenantId,
        document: Hash,
        by: Actor,
    ) -> Result<Tenant, Error> {
        let register = Arc::clone(self);
        let work = async move {
            let turn = register.rules_turn().await;
            let rev = register.revisions().registry().rev() + 1;
            let (next, demand) = register.instructing(&tenant).await?.accepted(rev)?;
            let event = ControlEvent::TenantShown { demand: demand.id(), tenant: next.hash(), document };
            register.rule_by(&turn, &next, event, by).await?;
            Ok(next)
        };
        self.to_the_end("accept evidence", work).await?
    }

    /// The tenant of this name, which has given instructions.
    async fn instructing(&self, tenant: &TenantId) -> Result<Tenant, Error> {
        let mut tenants = self.tenants().await?.into_iter();
        Ok(tenants.find(|known| known.order.tenant == *tenant).ok_or(NotInstructed::Unknown)?)
    }

    /// Ends what `tenant` instructed, because of `why`: nothing of its people passes any gate when this returns, and their
    /// erasure has begun. How it stands, where that had begun before.
    ///
    /// # Errors
    /// [`Error::NotInstructed`] for a tenant that has given no instructions; or as the store says.
    pub async fn end_tenant(self: &Arc<Self>, tenant: TenantId, why: Why, by: Actor) -> Result<Tenant, Error> {
        let register = Arc::clone(self);
        let work = async move {
            let turn = register.rules_turn().await;
            register.end_now(&turn, &tenant, why, by).await
        };
        self.to_the_end("end a tenant", work).await?
    }

    async fn end_now(
        self: &Arc<Self>,
        turn: &Turn<'_>,
        tenant: &TenantId,
        why: Why,
        by: Actor,
    ) -> Result<Tenant, Error> {
        let known = self.instructing(tenant).await?;
        let rev = self.revisions().registry().rev() + 1;
        let Some(mut next) = known.ended(why, rev, self.clock.wall()) else {
            // whoever asks again is told so only if nothing was left open by an error
            self.enforce_switches().await?;
            return Ok(known);
        };
        let (instructions, tenant, reason) = (next.id, next.hash(), why.name());
        let event = Event::Control(ControlEvent::TenantErasing { instructions, tenant, reason });
        let events = vec![About::default().by_registry(rev).by(by, event)];
        let ops = self.tell_of_end(&mut next).await?;
        self.rule(turn, &next, Entry { ops, events, ..Entry::default() }).await?;
        Ok(next)
    }

    /// What tells the people of `tenant`, which ends, that it does. Nothing keeps a tenant from ending: where no further notice
    /// is kept, nobody is told.
    async fn tell_of_end(self: &Arc<Self>, tenant: &mut Tenant) -> Result<Vec<Op>, Error> {
        let (notices, profile, now) = (Notices::new(Arc::clone(self)), self.profile(), self.clock.wall());
        let lead = NoticeKind::TenantEnd.within(&profile);
        let within: IsoPeriod = TOLD_WITHIN.parse().expect("a period");
        let draft = Draft {
            kind: NoticeKind::TenantEnd,
            texts: profile.header().languages.iter().map(|language| (*language, said(tenant, *language))).collect(),
            // as early as the policy promises, or else as late as is of use
            by: lead.is_none().then(|| within.after(now)),
            channels: notices.usual_channels(),
        };
        let notice = match notices.draw_up(draft, Audience::Tenant(tenant.order.tenant.clone())).await {
            Ok(notice) => notice,
            Err(NoticeError::Register(error)) => return Err(error),
            Err(error) => {
                metrics::counter!("sayso_tenants_untold_total").increment(1);
                tracing::error!(%error, "people of a tenant that is served no more are not told");
                return Ok(Vec::new());
            }
        };
        if let Some(ending) = tenant.ending.as_mut() {
            ending.notice = Some(notice.id);
            ending.not_before = lead.is_some().then_some(notice.by);
        }
        Ok(sending(&notice, &[]))
    }

    /// Whether the people of the tenant whose `ending` it is were all sent the notice of it, and had as long as the policy
    /// promises.
    async fn are_told(&self, ending: &Ending) -> Result<bool, Error> {
        let Some(notice) = ending.notice else { return Ok(true) };
        let spreading = self.store.read(&[NoticeSpreadKey { notice }.key()]).await?.pop().flatten();
        Ok(spreading.is_none() && ending.not_before.is_none_or(|at| at <= self.clock.wall()))
    }

    /// Every tenant that has given instructions, by name.
    ///
    /// # Errors
    /// As the store says.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        stored::tenants_in(self.store.as_ref()).await
    }

    /// Decides by what `next` says from here on, durably, because of `event`.
    async fn rule_by(&self, turn: &Turn<'_>, next: &Tenant, event: ControlEvent, by: Actor) -> Result<(), Error> {
        let events = vec![About::default().by_registry(next.rev).by(by, Event::Control(event))];
        self.rule(turn, next, Entry { events, ..Entry::default() }).await
    }

    /// Decides by what `next` says from here on, durably. Until that is on record, what it says and what was said before both
    /// have to allow a thing, so that no leaf that follows rests on what is no longer so, or not yet.
    async fn rule(&self, _turn: &Turn<'_>, next: &Tenant, mut entry: Entry) -> Result<(), Error> {
        entry.ops.push(stored::put(next));
        let (before, tenant) = (self.revisions(), &next.order.tenant);
        let ruled = |narrowing| {
            let registry = Registry::clone(before.registry()).at(next.rev);
            Arc::new(before.with_registry(registry.with_instructions([(tenant.clone(), narrowing)])))
        };
        let narrowing = next.narrowing();
        let earlier = before.registry().instructions_of(Some(tenant));
        // who said nothing before attested nothing
        let unattested = || Narrowing { attested: false, ..narrowing.clone() };
        self.revisions.store(ruled(earlier.map_or_else(unattested, |earlier| earlier.with(&narrowing))));
        if let Err(error) = self.journal.append(entry).await {
            self.revisions.store(before);
            return Err(error);
        }
        self.journal.govern_registry(next.rev);
        self.revisions.store(ruled(narrowing));
        self.enforce_switches().await?;
        Ok(())
    }

    /// Ends tenants whose term is over, begins the erasure of further people of those that have ended, and notes those of
    /// whom the last certificate is issued.
    pub(super) async fn carry_out_tenants(self: &Arc<Self>) -> Result<(), Error> {
        let turn = self.rules_turn().await;
        let now = self.clock.wall();
        for tenant in self.tenants().await? {
            let tenant = if tenant.is_over(now) {
                self.end_now(&turn, &tenant.order.tenant, Why::TermOver, Actor::SYSTEM).await?
            } else {
                tenant
            };
            self.erase_tenant(tenant).await?;
        }
        Ok(())
    }

    async fn erase_tenant(&self, mut tenant: Tenant) -> Result<(), Error> {
        while tenant.is_erasing() {
            let Some(ending) = tenant.ending.as_mut() else { return Ok(()) };
            let due = self.due_erasures().await?;
            if !ending.is_everybody {
                if due.len() >= ERASING_MAX || !self.are_told(ending).await? {
                    return Ok(());
                }
                self.erase_more_of(&mut tenant).await?;
                continue;
            }
            let ground = Ground::Tenant(tenant.id.0);
            for (subject, erasure) in due {
                let pending = self.one_pending(subject, erasure).await?;
                if pending.is_some_and(|pending| pending.grounds.contains(&ground)) {
                    return Ok(());
                }
            }
            ending.erased_at = Some(self.clock.wall());
            let people = ending.people;
            let event = ControlEvent::TenantErased { instructions: tenant.id, tenant: tenant.hash(), people };
            let events = vec![About::default().event(Event::Control(event))];
            self.journal.append(Entry { ops: vec![stored::put(&tenant)], events, ..Entry::default() }).await?;
            metrics::counter!("sayso_tenants_erased_total").increment(1);
            tracing::info!(people, "a tenant is served no more, and everything of its people is erased");
        }
        Ok(())
    }

    /// Begins the erasure of the tenant's people on the next page of the register.
    async fn erase_more_of(&self, tenant: &mut Tenant) -> Result<(), Error> {
        let (id, ground) = (tenant.order.tenant.clone(), Ground::Tenant(tenant.id.0));
        let Some(ending) = tenant.ending.as_mut() else { return Ok(()) };
        let mut range = Range::from(RegisterKey::table());
        if let Some(subject) = ending.reached {
            range.start = RegisterKey { subject }.key().successor();
        }
        let page = self.store.scan(range, PAGE).await?;
        let now = self.clock.wall();
        let mut ops = Vec::new();
        ending.is_everybody = page.rest.is_none();
        for found in page.entries {
            let RegisterKey { subject } = RegisterKey::parse(&found.key).map_err(StoreError::from)?;
            ending.reached = Some(subject);
            let state = StoredState::of(&Versioned { value: found.value, version: found.version })?;
            if *state.tenant() == id {
                let pending = Pending::new(None, ground, now);
                ops.push(Op::Put(pending.row(subject), ERASURE.encode(&pending.encode())));
                ending.people += 1;
            }
        }
        ops.push(stored::put(tenant));
        self.journal.append(Entry { ops, ..Entry::default() }).await?;
        Ok(())
    }
}
