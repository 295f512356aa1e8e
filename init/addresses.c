/* SPDX-License-Identifier: MIT */
#include "addresses.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "log.h"
#include "notify.h"
#include "probe_link.h"
#include "supervisor.h"
#include "wire.h"

/* ---- the book, to the sidecar ---- */

void addresses_renew(struct supervisor *sup)
{
	sup->link.book_serial++;
	sup->link.book_address = sup->link.book_step = 0;
	sup->link.book_sent = false;
}

static bool send_step(const struct supervisor *sup, const struct address_entry *address,
		      const struct address_step *step)
{
	const struct address_candidate *found =
		step->candidate < 0 ? NULL : &address->candidates[step->candidate];
	struct link_step message = {
		.type = LINK_STEP,
		.serial = sup->link.book_serial,
		.address = (uint16_t)sup->link.book_address,
		.port = found ? found->port : 0,
		.check_period = address->check_period,
		.check = address->check,
		.found = found != NULL,
	};

	snprintf(message.name, sizeof(message.name), "%s", address->name);
	snprintf(message.host, sizeof(message.host), "%s", found ? found->host : "");
	snprintf(message.srv, sizeof(message.srv), "%s", found && found->srv ? found->srv : "");
	snprintf(message.source, sizeof(message.source), "%s", step->source);
	snprintf(message.note, sizeof(message.note), "%s", step->note ? step->note : "");
	return sidecar_link_send(sup, &message, sizeof(message));
}

static bool send_end(const struct supervisor *sup, const struct address_book *book)
{
	struct link_book message = {
		.type = LINK_BOOK, .serial = sup->link.book_serial, .addresses = book->count};

	snprintf(message.mode, sizeof(message.mode), "%s", book->mode);
	snprintf(message.mode_source, sizeof(message.mode_source), "%s", book->mode_source);
	return sidecar_link_send(sup, &message, sizeof(message));
}

bool addresses_send(struct supervisor *sup)
{
	const struct address_book *book = sup->config->addresses;
	struct sidecar_link *link = &sup->link;

	while (link->book_address < book->count) {
		const struct address_entry *address = &book->entries[link->book_address];

		if (!send_step(sup, address, &address->steps[link->book_step]))
			return false;
		if (++link->book_step < address->step_count)
			continue;
		link->book_step = 0;
		link->book_address++;
	}
	link->book_sent = link->book_sent || send_end(sup, book);
	return link->book_sent;
}

/* ---- answers ---- */

static bool concerns(const struct service_config *config, uint32_t address)
{
	if (config->on_address_change == CHANGE_IGNORE)
		return false;
	for (uint32_t i = 0; i < config->address_count; i++)
		if (config->addresses[i] == address)
			return true;
	return config->address_count == 0;
}

static void tell(struct supervisor *sup, struct service *service,
		 const struct address_entry *address)
{
	unsigned change = service->config->on_address_change;

	if (service->pid <= 1 || !service->wanted || service->leaving)
		return;
	log_info("%s: address %s has changed: %s", service->config->name, address->name,
		 change == CHANGE_RESTART ? "restarting it" : "signalling it");
	if (change != CHANGE_RESTART) {
		notify_signal(service, (int)change);
		return;
	}
	supervisor_event(sup, service, EV_RESTART);
	schedule_changed(sup, service);
}

static bool is_valid(const struct address_book *book, const struct link_answer *answer)
{
	return answer->address < book->count &&
	       answer->candidate < book->entries[answer->address].count &&
	       address_host_valid(answer->host, sizeof(answer->host)) &&
	       address_host_valid(answer->number, sizeof(answer->number)) &&
	       (!answer->host[0] || answer->port);
}

void addresses_take(struct supervisor *sup, const struct link_answer *answer)
{
	const struct address_book *book = sup->config->addresses;
	const struct address_entry *address;
	char text[ENDPOINT_SIZE];
	bool changed;

	if (answer->serial != sup->link.book_serial || !is_valid(book, answer))
		return;
	address = &book->entries[answer->address];
	changed = address_choose(book, answer->address, answer->candidate, answer->host,
				 answer->port);
	memcpy(address->now->number, answer->number, sizeof(answer->number));
	hosts_changed(sup);
	if (!changed && !answer->moved)
		return;
	log_info("address %s: now %s%s%s", address->name,
		 endpoint_format(text, address->now->host, address->now->port),
		 answer->number[0] ? " at " : "", answer->number);
	event_log_add(&sup->events, (struct event_entry){.time = sup->loop.now,
							 .slot = WIRE_EVENT_ADDRESS,
							 .pid = answer->address,
							 .last_exit = answer->candidate});
	for (uint32_t i = 0; i < sup->count && sup->stage == STAGE_RUN; i++)
		if (concerns(sup->services[i]->config, answer->address))
			tell(sup, sup->services[i], address);
}
