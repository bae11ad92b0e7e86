//! Changing members of the open group: who is put out, who is an admin.

use super::Model;
use super::group::blocked;
use super::on_thread;
use super::overlay::{Consent, Overlay};
use crate::model::{Role, SafeText, ThreadChange, UserId};

/// Asks before anyone is put out.
pub fn remove(model: &mut Model, who: &[UserId]) {
    let me = model.app.me().clone();
    if who == [me.clone()] {
        on_thread::ask_leave(model);
        return;
    }
    let who: Vec<UserId> = who.iter().filter(|id| **id != me).cloned().collect();
    let Some(c) = model.app.opened() else { return };
    let Some(first) = who.first() else { return };
    if let Some(why) = blocked(&model.app, c, &ThreadChange::Remove(first.clone())) {
        model.app.complain(&format!("Removing: {why}"));
        return;
    }
    let names: Vec<String> = who.iter().map(|id| model.app.names.of(id).to_string()).collect();
    model.app.overlay = Some(Overlay::Confirm {
        question: SafeText::line(&format!("Remove {} from the group?", names.join(", "))),
        detail: "They read nothing that is said from then on.".into(),
        consent: Consent::Remove(c.info.id.clone(), who),
    });
}

/// Users become admins; where all of them are admins, users. One role for all; one's own is asked about first.
pub fn turn_role(model: &mut Model, who: &[UserId]) {
    let me = model.app.me().clone();
    let Some(c) = model.app.opened() else { return };
    let chosen: Vec<&crate::model::Member> =
        c.group.members.iter().filter(|m| who.contains(&m.id)).collect();
    let all_admins = chosen.iter().all(|m| m.role == Role::Admin);
    let role = if all_admins { Role::User } else { Role::Admin };
    let turned: Vec<(UserId, Role)> = chosen
        .iter()
        .filter(|m| m.role != role && (m.id != me || who.len() == 1))
        .map(|m| (m.id.clone(), role))
        .collect();
    let Some((first, role)) = turned.first().cloned() else { return };
    if let Some(why) = blocked(&model.app, c, &ThreadChange::Member(first.clone(), role)) {
        model.app.complain(&format!("Roles: {why}"));
        return;
    }
    if first == me {
        model.app.overlay = Some(Overlay::Confirm {
            question: "Give up being an admin?".into(),
            detail: "Only another admin can give it back to you.".into(),
            consent: Consent::Change(c.info.id.clone(), ThreadChange::Member(me, role)),
        });
        return;
    }
    on_thread::put(model, &turned);
}
