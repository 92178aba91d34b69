//! A service that never ran has a row without a session; its session takes that row's place.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use runpm::client::blocking::Incoming;
use runpm::protocol::verbs;

use crate::support::Place;
use crate::support::RPM;

#[test]
fn w51_the_row_of_a_service_that_never_ran_goes_when_its_session_is_told() {
    let place = Place::new();
    let (program, file) = (place.dir().join("later"), place.dir().join("set.toml"));
    std::fs::write(&file, format!("[services.later]\ncommand = [\"{}\"]\n", program.display())).expect("a file");
    // Its program is missing.
    let failed = place.command(RPM).arg("start").arg(&file).output().expect("rpm runs");
    assert!(!failed.status.success());
    let mut connection = place.connect();
    let listing = connection.call(&verbs::Subscribe {}).expect("a list");
    let [dormant] = &listing.sessions[..] else { panic!("{listing:?}") };
    assert_eq!((dormant.name.as_str(), dormant.pid), ("later", 0));

    std::fs::write(&program, "#!/bin/sh\nexec sleep 1000\n").expect("a program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("it can be run");
    place.ok(&["start", "later"]);

    let mut came = None;
    loop {
        let incoming = connection.receive_within(Some(Duration::from_secs(20))).expect("it goes on");
        let Incoming::Event(event) = incoming.expect("it comes in time") else { continue };
        if let Some(verbs::Changed { status }) = event.get() {
            came = came.or((status.id != dormant.id).then_some(status.service.is_some()));
        } else if let Some(verbs::Removed { id }) = event.get() {
            assert_eq!(id, dormant.id);
            break;
        }
    }
    assert_eq!(came, Some(true), "the session is told before the row goes, as a service");
}
