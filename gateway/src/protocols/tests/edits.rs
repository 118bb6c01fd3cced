//! Bodies that stay in their format.

use crate::protocols::edit::Body;

fn check(body: &str, change: impl FnOnce(&mut Body<'_>), expected: &str) {
    let mut edited = Body::read(body.as_bytes()).unwrap();
    change(&mut edited);
    assert_eq!(String::from_utf8(edited.finish()).unwrap(), expected, "{body}");
}

#[test]
fn what_is_not_changed_keeps_its_bytes() {
    let body = "{ \"model\" : \"a\",\n\t\"n\":1.0e5 , \"x\": [ 1,2 ],\"tools\":[ {\"name\":\"f\"} ] }\n";
    check(body, |_| {}, body);
    check(body, |it| it.set_model("b\"c"), &body.replace("\"a\"", r#""b\"c""#));
    check(body, |it| it.append_tools(&["{}"]), &body.replace("\"f\"}", "\"f\"},{}"));
    check(body, |it| it.replace_tools(&["1", "2"]), &body.replace("[ {\"name\":\"f\"} ]", "[1,2]"));
    check(body, |it| it.include_usage(), &body.replace("} ] }", "} ],\"stream_options\":{\"include_usage\":true} }"));
    check(
        body,
        |it| {
            it.replace_tools(&["1"]);
            it.set_model("b");
            it.set_model("c");
            it.set("y", "2".to_owned());
        },
        "{ \"model\" : \"c\",\n\t\"n\":1.0e5 , \"x\": [ 1,2 ],\"tools\":[1],\"y\":2 }\n",
    );
}

#[test]
fn members_are_added_where_there_are_none() {
    check("{}", |it| it.set_model("m"), r#"{"model":"m"}"#);
    check(r#"{"a":1}"#, |it| it.append_tools(&["{}"]), r#"{"a":1,"tools":[{}]}"#);
    check(r#"{"tools":[]}"#, |it| it.append_tools(&["{}", "1"]), r#"{"tools":[{},1]}"#);
    check(r#"{"tools":null}"#, |it| it.append_tools(&["{}"]), r#"{"tools":[{}]}"#);
    check(r#"{"stream_options":{}}"#, |it| it.include_usage(), r#"{"stream_options":{"include_usage":true}}"#);
    check(
        r#"{"stream_options":{"include_usage": false, "x":1}}"#,
        |it| it.include_usage(),
        r#"{"stream_options":{"include_usage": true, "x":1}}"#,
    );
}

#[test]
fn of_duplicate_keys_the_last_is_changed() {
    check(r#"{"model":"a","model":"b"}"#, |it| it.set_model("c"), r#"{"model":"a","model":"c"}"#);
}

#[test]
fn tools_are_read_in_every_format() {
    let check = |tool: &str, name: &str, schema: Option<&str>| {
        let body = format!("{{\"tools\":[{tool}]}}");
        let body = Body::read(body.as_bytes()).unwrap();
        let tools = body.tools().unwrap();
        assert_eq!(tools[0].raw, tool);
        assert_eq!((tools[0].name.as_deref(), tools[0].schema), (Some(name), schema));
    };
    check(r#"{"type":"function","function":{"name":"f","parameters":{ "a":1}}}"#, "f", Some(r#"{ "a":1}"#));
    check(r#"{"type":"function","name":"f","parameters":{}}"#, "f", Some("{}"));
    check(r#"{"name":"f","input_schema":{}}"#, "f", Some("{}"));
    check(r#"{"type":"custom","custom":{"name":"f"}}"#, "f", None);
    check(r#"{"type":"web_search_20250305","name":"web_search"}"#, "web_search", None);
    for body in [r#"{"tools":1}"#, r#"{"tools":[1]}"#] {
        assert!(Body::read(body.as_bytes()).unwrap().tools().is_err(), "{body}");
    }
}
