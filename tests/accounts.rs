//! Stories of accounts that change: ended for ever, a role ended before its time, another language.

use tenkoku_ca::account::{disable_account, end_role, set_language};
use tenkoku_ca::act::ActError;
use tenkoku_domain::access::{ManageAccounts, Role, Scope};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_store::StoreError;
use tenkoku_testkit::people::Somebody;
use tenkoku_testkit::world::World;

use crate::support::{check_refused, codes};

fn administrator(world: &World, name: &str) -> Somebody {
    world.somebody(name, &[Role::PlatformAdministrator], &Scope::Platform)
}

#[test]
fn an_administrator_ends_a_role_and_an_account_of_another_and_never_the_own() {
    World::on_each_database(|world| {
        let one = administrator(world, "管理 一");
        let roles = [Role::RegistrationOfficer, Role::ValidationOperator];
        let officer = world.somebody("審査 一", &roles, &Scope::Platform);
        let permit = one.permit::<ManageAccounts>(world);
        let held = officer.account.roles[0].clone();
        let (ended, told) =
            world.told(|| end_role(&world.env, &permit, &officer.account.id, &held));
        assert_eq!(codes(&told), ["role.ended"]);
        assert_eq!(ended.expect("an end").until, world.now());
        let after = world.read(|tx| tx.load_account(&officer.account.id));
        let alive: Vec<_> =
            after.roles.iter().filter(|one| one.until > world.now()).map(|one| one.role).collect();
        assert_eq!(alive, [Role::ValidationOperator], "one role ended, the other holds");
        let again = end_role(&world.env, &permit, &officer.account.id, &held);
        assert!(matches!(again, Err(ActError::Store(StoreError::NotFound { .. }))));

        let own = (RefusalCode::SelfApproval, "2");
        let act = || disable_account(&world.env, &permit, &one.account.id);
        check_refused(world, act, own, "account.disabled");
        let own_role = one.account.roles[0].clone();
        let act = || end_role(&world.env, &permit, &one.account.id, &own_role);
        check_refused(world, act, own, "role.ended");

        let (ended, told) =
            world.told(|| disable_account(&world.env, &permit, &officer.account.id));
        assert_eq!(codes(&told), ["account.disabled"]);
        assert_eq!(ended.expect("an end").disabled_at, Some(world.now()));
        let act = || disable_account(&world.env, &permit, &officer.account.id);
        check_refused(world, act, (RefusalCode::StateConflict, "2"), "account.disabled");
    });
}

#[test]
fn a_person_sets_the_language_of_pages_and_letters() {
    World::on_each_database(|world| {
        let one = administrator(world, "管理 一");
        for language in [Language::En, Language::Ja] {
            let (done, told) =
                world.told(|| set_language(&world.env, &one.permit(world), language));
            done.expect("it is set");
            assert_eq!(codes(&told), ["account.changed"]);
            assert_eq!(world.read(|tx| tx.load_account(&one.account.id)).language, language);
        }
    });
}
